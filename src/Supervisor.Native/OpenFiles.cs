using System.Buffers.Text;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>
/// Finds open files of other processes in /proc/PID/fd. It calls getdents64(2) and readlinkat(2) on raw bytes: a host has
/// thousands of descriptors, and each name would be two strings.
/// </summary>
public static unsafe class OpenFiles
{
    /// <summary>A socket found among a process's descriptors.</summary>
    /// <param name="Pid">The process.</param>
    /// <param name="Descriptor">Its number in that process.</param>
    /// <param name="Inode">The socket's inode number.</param>
    public readonly record struct Found(int Pid, int Descriptor, ulong Inode);

    /// <summary>The coverage of a scan.</summary>
    /// <param name="Hidden">How many processes could not be inspected for lack of rights; kernel threads are not counted if
    /// they can be recognised.</param>
    /// <param name="Unseen">How many processes the scan did not finish in time.</param>
    public readonly record struct Coverage(int Hidden, int Unseen);

    private enum ScanResult
    {
        Complete,
        Hidden,
        Unfinished,
    }

    private const int BufferLength = 32 * 1024;

    /// <summary>
    /// The first pass inspects this many descriptors of each process, so that one process with a million of them does not delay
    /// the others.
    /// </summary>
    private const int DescriptorsAtFirst = 2048;

    /// <summary>With fewer processes a second thread costs more than it saves.</summary>
    private const int ProcessesWorthAThread = 64;

    /// <summary>
    /// Scans all processes in /proc for the sockets <paramref name="wanted"/>, with several threads on a busy host: each
    /// descriptor costs one readlink, and there are thousands.
    /// </summary>
    /// <param name="wanted">Inode numbers.</param>
    /// <param name="found">Each match is added here.</param>
    /// <param name="until">A <see cref="Stopwatch"/> timestamp at which the scan stops, finished or not. Any user may have many
    /// processes and descriptors.</param>
    public static Coverage FindSockets(IReadOnlySet<ulong> wanted, List<Found> found, long until = long.MaxValue)
    {
        var processes = open(Path("/proc\0"u8), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (processes < 0)
        {
            return default;
        }

        var hidden = 0;
        var unfinished = new List<int>();
        ScanAll(processes, ReadPids(processes), DescriptorsAtFirst, wanted, found, until, ref hidden, unfinished);
        var large = unfinished.ToList();
        unfinished.Clear();
        if (large.Count > 0)
        {
            // The second pass finds the sockets of these processes again.
            found.RemoveAll(one => large.Contains(one.Pid));
            ScanAll(processes, large, int.MaxValue, wanted, found, until, ref hidden, unfinished);
        }

        _ = close(processes);
        return new Coverage(hidden, unfinished.Count);
    }

    private static void ScanAll(
        int processes, List<int> pids, int most, IReadOnlySet<ulong> wanted, List<Found> found, long until, ref int hidden,
        List<int> unfinished)
    {
        var unseen = 0;
        var next = 0;
        void Scan()
        {
            var entries = stackalloc byte[BufferLength];
            var mine = new List<Found>();
            int at;
            while ((at = Interlocked.Increment(ref next) - 1) < pids.Count)
            {
                switch (ScanProcess(processes, pids[at], most, wanted, mine, entries, until))
                {
                    case ScanResult.Hidden:
                        Interlocked.Increment(ref unseen);
                        break;
                    case ScanResult.Unfinished:
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

        var others = new List<Thread>();
        var threads = Math.Min(Environment.ProcessorCount, pids.Count / ProcessesWorthAThread + 1) - 1;
        while (others.Count < threads && BackgroundThread.TryStart("scan", 0, Scan) is { } other)
        {
            others.Add(other);
        }

        Scan();
        others.ForEach(static other => other.Join());

        hidden += unseen;
    }

    /// <summary>
    /// Scans one process for the sockets <paramref name="wanted"/>. False if the rights are missing, or if the scan is not
    /// complete at <paramref name="until"/>. An exited process has none.
    /// </summary>
    public static bool FindSocketsOf(int pid, IReadOnlySet<ulong> wanted, List<Found> found, long until = long.MaxValue)
    {
        var processes = open(Path("/proc\0"u8), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (processes < 0)
        {
            return false;
        }

        var entries = stackalloc byte[BufferLength];
        var result = ScanProcess(processes, pid, int.MaxValue, wanted, found, entries, until);
        _ = close(processes);
        return result == ScanResult.Complete;
    }

    /// <summary>
    /// Lists the descriptors of a process that are sockets, by inode number, and those of the anonymous kind
    /// <paramref name="kind"/> ("anon_inode:[eventpoll]"). False if the rights are missing, which sets <paramref name="isHidden"/>, or if
    /// the list is not complete at <paramref name="until"/>.
    /// </summary>
    public static bool Read(
        int pid, ReadOnlySpan<byte> kind, Action<int, ulong> onSocket, Action<int> onKind, long until, out bool isHidden)
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

    private static ScanResult ScanProcess(
        int processes, int pid, int most, IReadOnlySet<ulong> wanted, List<Found> found, byte* entries, long until)
    {
        if (Stopwatch.GetTimestamp() > until)
        {
            return ScanResult.Unfinished;
        }

        var path = stackalloc byte[32];
        var text = new Span<byte>(path, 32);
        Utf8Formatter.TryFormat(pid, text, out var digits);
        "/fd\0"u8.CopyTo(text[digits..]);
        var directory = openat(processes, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
        {
            // A process that has exited in the meantime is not hidden.
            return errno != EACCES && errno != EPERM ? ScanResult.Complete : ScanResult.Hidden;
        }

        var link = stackalloc byte[64];
        var seen = 0;
        var result = ScanResult.Complete;
        long length;
        while ((length = Syscalls.getdents64(directory, entries, BufferLength)) > 0)
        {
            // Each call returns some thousand entries.
            if (seen >= most || (seen > 0 && Stopwatch.GetTimestamp() > until))
            {
                result = ScanResult.Unfinished;
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
        return result;
    }

    /// <summary>
    /// pidfd_getfd(2): a second descriptor of the same open file, which the caller owns. The caller should close it at once,
    /// because it keeps the file open. Needs ptrace rights over the process. Linux 5.6.
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

    /// <summary>readlink(2) of a path; null if it cannot be read.</summary>
    public static string? ReadLink(string path)
    {
        const int pathMax = 4096;
        var link = stackalloc byte[pathMax];
        fixed (byte* bytes = ByteText.Encode(path + "\0"))
        {
            var size = (int)Syscalls.readlinkat(AT_FDCWD, bytes, link, pathMax);
            return size <= 0 ? null : ByteText.Decode(new ReadOnlySpan<byte>(link, size));
        }
    }

    // struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name.
    private static int EntryLength(byte* entry) => *(ushort*)(entry + 16);

    private static byte* EntryName(byte* entry) => entry + 19;

    private static ReadOnlySpan<byte> Span(byte* text) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);

    private static byte* Path(ReadOnlySpan<byte> literal) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(literal));
}
