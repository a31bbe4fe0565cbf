using System.Buffers.Text;
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

    private const int BufferLength = 32 * 1024;

    /// <summary>Below so many processes a second thread costs more than it brings.</summary>
    private const int ProcessesWorthAThread = 64;

    /// <summary>
    /// Looks through every process that /proc shows for sockets of <paramref name="wanted"/>, on a busy host on several
    /// processors at once: reading a descriptor's link is all that it takes, and there are thousands.
    /// Returns how many processes did not let themselves be looked into (kernel threads are not counted where that can be told).
    /// </summary>
    public static int FindSockets(IReadOnlySet<ulong> wanted, List<Found> found)
    {
        var processes = open(Path("/proc\0"u8), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (processes < 0)
        {
            return 0;
        }

        var pids = ReadPids(processes);
        var hidden = 0;
        var next = 0;
        void Look()
        {
            var entries = stackalloc byte[BufferLength];
            var mine = new List<Found>();
            int at;
            while ((at = Interlocked.Increment(ref next) - 1) < pids.Count)
            {
                if (!LookInto(processes, pids[at], wanted, mine, entries))
                {
                    Interlocked.Increment(ref hidden);
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

        _ = close(processes);
        return hidden;
    }

    /// <summary>Looks through one process for sockets of <paramref name="wanted"/>; false where it may not be looked into. One that is gone has none.</summary>
    public static bool FindSocketsOf(int pid, IReadOnlySet<ulong> wanted, List<Found> found)
    {
        var processes = open(Path("/proc\0"u8), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (processes < 0)
        {
            return false;
        }

        var entries = stackalloc byte[BufferLength];
        var isVisible = LookInto(processes, pid, wanted, found, entries);
        _ = close(processes);
        return isVisible;
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

    private static bool LookInto(int processes, int pid, IReadOnlySet<ulong> wanted, List<Found> found, byte* entries)
    {
        var path = stackalloc byte[32];
        var text = new Span<byte>(path, 32);
        Utf8Formatter.TryFormat(pid, text, out var digits);
        "/fd\0"u8.CopyTo(text[digits..]);
        var directory = openat(processes, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
        {
            // Gone meanwhile is not hidden.
            return errno != EACCES && errno != EPERM;
        }

        var link = stackalloc byte[64];
        long length;
        while ((length = Syscalls.getdents64(directory, entries, BufferLength)) > 0)
        {
            for (var at = 0; at < length; at += EntryLength(entries + at))
            {
                var name = EntryName(entries + at);
                if (name[0] is < (byte)'0' or > (byte)'9')
                {
                    continue;
                }

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
        return true;
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
