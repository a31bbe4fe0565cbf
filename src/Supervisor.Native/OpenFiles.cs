using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>
/// Open files of other processes by /proc/PID/fd: getdents64(2) and readlinkat(2) on raw bytes, since a host has
/// thousands of descriptors and each name would be two strings.
/// </summary>
public static unsafe class OpenFiles
{
    /// <summary>A socket found among a process's descriptors.</summary>
    /// <param name="Pid">The process.</param>
    /// <param name="Descriptor">Its number there.</param>
    /// <param name="Inode">The socket's inode number.</param>
    public readonly record struct Found(int Pid, int Descriptor, ulong Inode);

    /// <summary>What came of a look at processes.</summary>
    /// <param name="Hidden">How many did not let themselves be looked into; kernel threads are not counted where that can be told.</param>
    /// <param name="Unseen">How many were not looked through since the time was over.</param>
    public readonly record struct Look(int Hidden, int Unseen);

    private enum Sight
    {
        Seen,
        Hidden,
        Unfinished,
    }

    private const int BufferLength = 32 * 1024;

    /// <summary>So many descriptors of each process are looked at before more of any: one process with a million of them hides no other.</summary>
    private const int DescriptorsAtFirst = 2048;

    /// <summary>Below so many processes a second thread costs more than it brings.</summary>
    private const int ProcessesWorthAThread = 64;

    /// <summary>
    /// Looks through every process that /proc shows for sockets of <paramref name="wanted"/>, on a busy host on several
    /// processors at once: reading a descriptor's link is all that it takes, and there are thousands.
    /// </summary>
    /// <param name="wanted">Inode numbers.</param>
    /// <param name="found">Where each was found is added here.</param>
    /// <param name="until">A timestamp of <see cref="Stopwatch"/> at which the look ends, finished or not: anybody may have many processes, and many descriptors.</param>
    public static Look FindSockets(IReadOnlySet<ulong> wanted, List<Found> found, long until = long.MaxValue)
    {
        var processes = open(Path("/proc\0"u8), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (processes < 0)
        {
            return default;
        }

        var hidden = 0;
        var unfinished = new List<int>();
        LookThrough(processes, ReadPids(processes), DescriptorsAtFirst, wanted, found, until, ref hidden, unfinished);
        var large = unfinished.ToList();
        unfinished.Clear();
        if (large.Count > 0)
        {
            // What is found twice is one descriptor.
            found.RemoveAll(one => large.Contains(one.Pid));
            LookThrough(processes, large, int.MaxValue, wanted, found, until, ref hidden, unfinished);
        }

        _ = close(processes);
        return new Look(hidden, unfinished.Count);
    }

    private static void LookThrough(
        int processes, List<int> pids, int most, IReadOnlySet<ulong> wanted, List<Found> found, long until, ref int hidden, List<int> unfinished)
    {
        var unseen = 0;
        var next = 0;
        void Look()
        {
            var entries = stackalloc byte[BufferLength];
            var mine = new List<Found>();
            int at;
            while ((at = Interlocked.Increment(ref next) - 1) < pids.Count)
            {
                switch (LookInto(processes, pids[at], most, wanted, mine, entries, until))
                {
                    case Sight.Hidden:
                        Interlocked.Increment(ref unseen);
                        break;
                    case Sight.Unfinished:
                        lock (unfinished)
                        {
                            unfinished.Add(pids[at]);
                        }

                        break;
                }
            }

            lock (found)
            {
                found.AddRange(mine);
            }
        }

        var others = new Thread[Math.Min(Environment.ProcessorCount, pids.Count / ProcessesWorthAThread + 1) - 1];
        for (var i = 0; i < others.Length; i++)
        {
            others[i] = new Thread(Look);
            others[i].Start();
        }

        Look();
        foreach (var other in others)
        {
            other.Join();
        }

        hidden += unseen;
    }

    /// <summary>Looks through one process for sockets of <paramref name="wanted"/>; false where it may not be looked into, or not to its end before <paramref name="until"/>. One that is gone has none.</summary>
    public static bool FindSocketsOf(int pid, IReadOnlySet<ulong> wanted, List<Found> found, long until = long.MaxValue)
    {
        var processes = open(Path("/proc\0"u8), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (processes < 0)
        {
            return false;
        }

        var entries = stackalloc byte[BufferLength];
        var sight = LookInto(processes, pid, int.MaxValue, wanted, found, entries, until);
        _ = close(processes);
        return sight == Sight.Seen;
    }

    /// <summary>
    /// The descriptors of a process that are sockets, by inode number, and those that are of the anonymous kind
    /// <paramref name="kind"/> ("anon_inode:[eventpoll]"). False where they may not be seen, or not all before
    /// <paramref name="until"/>, with <paramref name="isHidden"/> in the first case.
    /// </summary>
    public static bool Read(int pid, ReadOnlySpan<byte> kind, Action<int, ulong> onSocket, Action<int> onKind, long until, out bool isHidden)
    {
        isHidden = false;
        fixed (byte* path = Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/{pid}/fd\0")))
        {
            var directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (directory < 0)
            {
                isHidden = errno == EACCES || errno == EPERM;
                return !isHidden;
            }

            var entries = stackalloc byte[BufferLength];
            var link = stackalloc byte[64];
            var isWhole = true;
            long length;
            while (isWhole && (length = Syscalls.getdents64(directory, entries, BufferLength)) > 0)
            {
                isWhole = Stopwatch.GetTimestamp() <= until;
                for (var at = 0; at < length && isWhole; at += EntryLength(entries + at))
                {
                    var name = EntryName(entries + at);
                    if (name[0] is < (byte)'0' or > (byte)'9' || !Utf8Parser.TryParse(Span(name), out int descriptor, out _))
                    {
                        continue;
                    }

                    var size = (int)Syscalls.readlinkat(directory, name, link, 64);
                    if (size <= 0)
                    {
                        continue;
                    }

                    var target = new ReadOnlySpan<byte>(link, size);
                    if (target.SequenceEqual(kind))
                    {
                        onKind(descriptor);
                    }
                    else if (size > 9 && target.StartsWith("socket:["u8) && Utf8Parser.TryParse(target[8..], out ulong inode, out _))
                    {
                        onSocket(descriptor, inode);
                    }
                }
            }

            _ = close(directory);
            return isWhole;
        }
    }

    private static List<int> ReadPids(int processes)
    {
        var pids = new List<int>();
        var names = stackalloc byte[BufferLength];
        long length;
        while ((length = Syscalls.getdents64(processes, names, BufferLength)) > 0)
        {
            for (var at = 0; at < length; at += EntryLength(names + at))
            {
                var name = EntryName(names + at);
                if (name[0] is >= (byte)'1' and <= (byte)'9' && Utf8Parser.TryParse(Span(name), out int pid, out _))
                {
                    pids.Add(pid);
                }
            }
        }

        return pids;
    }

    private static Sight LookInto(int processes, int pid, int most, IReadOnlySet<ulong> wanted, List<Found> found, byte* entries, long until)
    {
        if (Stopwatch.GetTimestamp() > until)
        {
            return Sight.Unfinished;
        }

        var path = stackalloc byte[32];
        var text = new Span<byte>(path, 32);
        Utf8Formatter.TryFormat(pid, text, out var digits);
        "/fd\0"u8.CopyTo(text[digits..]);
        var directory = openat(processes, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
        {
            // Gone meanwhile is not hidden.
            return errno != EACCES && errno != EPERM ? Sight.Seen : Sight.Hidden;
        }

        var link = stackalloc byte[64];
        var seen = 0;
        var sight = Sight.Seen;
        long length;
        while ((length = Syscalls.getdents64(directory, entries, BufferLength)) > 0)
        {
            // Some thousand entries a turn.
            if (seen >= most || (seen > 0 && Stopwatch.GetTimestamp() > until))
            {
                sight = Sight.Unfinished;
                break;
            }

            for (var at = 0; at < length; at += EntryLength(entries + at))
            {
                var name = EntryName(entries + at);
                if (name[0] is < (byte)'0' or > (byte)'9')
                {
                    continue;
                }

                seen++;
                var size = (int)Syscalls.readlinkat(directory, name, link, 64);
                if (size > 9 && new ReadOnlySpan<byte>(link, size).StartsWith("socket:["u8)
                    && Utf8Parser.TryParse(new ReadOnlySpan<byte>(link + 8, size - 8), out ulong inode, out _)
                    && wanted.Contains(inode)
                    && Utf8Parser.TryParse(Span(name), out int descriptor, out _))
                {
                    found.Add(new Found(pid, descriptor, inode));
                }
            }
        }

        _ = close(directory);
        return sight;
    }

    /// <summary>
    /// pidfd_getfd(2): a second descriptor of the same open file, owned by the caller, who should close it at once: until
    /// then the file stays open. Needs the right to trace the process. Linux 5.6.
    /// </summary>
    public static DescriptorHandle? Borrow(int pid, int descriptor)
    {
        using var pidfd = Processes.OpenPidfd(pid, out _);
        if (pidfd is null)
        {
            return null;
        }

        var copy = (int)Syscalls.syscall(438, pidfd.Number, descriptor, 0, 0);
        return copy < 0 ? null : new DescriptorHandle(copy);
    }

    /// <summary>readlink(2) of a path; null where it cannot be read.</summary>
    public static string? ReadLink(string path)
    {
        var link = stackalloc byte[256];
        fixed (byte* bytes = Encoding.UTF8.GetBytes(path + "\0"))
        {
            var size = (int)Syscalls.readlinkat(AT_FDCWD, bytes, link, 256);
            return size <= 0 ? null : Encoding.UTF8.GetString(link, size);
        }
    }

    // struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name.
    private static int EntryLength(byte* entry) => *(ushort*)(entry + 16);

    private static byte* EntryName(byte* entry) => entry + 19;

    private static ReadOnlySpan<byte> Span(byte* text) => System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);

    private static byte* Path(ReadOnlySpan<byte> literal) => (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(literal));
}
