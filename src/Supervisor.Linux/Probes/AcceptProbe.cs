using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Probes;

/// <summary>
/// <c>ready = "accepting"</c>: checks from outside whether a worker waits for connections. It does if the listener is in one of
/// its epoll sets for input (tfd and ino of /proc/PID/fdinfo/FD, proc_pid_fdinfo(5), Linux 3.8 and 4.3), or if one of its
/// threads is blocked in accept(), accept4(), poll(), ppoll(), select() or pselect6() on it (/proc/PID/syscall,
/// proc_pid_syscall(5); /proc/PID/mem has the descriptor sets of poll() and select()).
/// </summary>
/// <remarks>
/// Descendants count like the worker. A process has to wait on each listener of the service that accepts connections. The probe
/// cannot see a server that accepts by io_uring, or one whose only thread is always busy: start_timeout decides about both.
/// </remarks>
internal sealed class AcceptProbe : IReadinessProbe
{
    private const int PollIn = 1;
    private const uint EdgeTriggered = 1u << 31;
    private const int MaxPolled = 4096;

    /// <summary>The time limit of one probe: a worker may have any number of processes, threads and descriptors.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(1);

    private static readonly Calls Numbers = RuntimeInformation.ProcessArchitecture == Architecture.X64
        ? new(Accept: 43, Accept4: 288, Poll: 7, PPoll: 271, Select: 23, PSelect: 270)
        : new(Accept: 202, Accept4: 242, Poll: -2, PPoll: 73, Select: -2, PSelect: 72);

    private readonly object _owner;
    private readonly Func<int> _pid;
    private readonly IReadOnlyList<(string Name, ulong Inode)> _listeners;

    /// <summary>
    /// Probes the process that <paramref name="pid"/> returns, which may change, and its descendants. Probes that do not return
    /// count against <paramref name="owner"/>.
    /// </summary>
    public AcceptProbe(object owner, Func<int> pid, IReadOnlyList<(string Name, ulong Inode)> listeners)
    {
        _owner = owner;
        _pid = pid;
        _listeners = listeners;
    }

    /// <summary>
    /// Which of these listeners, by inode number, the process or a descendant certainly waits on. An epoll registration counts
    /// only if it is level-triggered and the process has the listener open under the registered descriptor number: epoll keeps
    /// a closed descriptor's registration while any process, such as the daemon, has the socket open (epoll(7)). A process that
    /// the daemon may not read, or not before <paramref name="until"/>, waits on nothing. On a thread that may wait.
    /// </summary>
    public static IReadOnlySet<ulong> Awaited(int root, IEnumerable<ulong> listeners, long until = long.MaxValue)
    {
        var all = listeners.ToHashSet();
        var missing = all.ToHashSet();
        foreach (var pid in WorkerTree.Of(root, until))
        {
            try
            {
                Strike(pid, missing, isStrict: true, until);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The process has exited, or is hidden.
            }
        }

        all.ExceptWith(missing);
        return all;
    }

    /// <inheritdoc/>
    public Task<string?> ProbeAsync(CancellationToken end) => ProbeThreads.Shared.RunAsync(_owner, Probe);

    private string? Probe()
    {
        var until = Stopwatch.GetTimestamp() + (long)(ReadTimeout.TotalSeconds * Stopwatch.Frequency);
        var missing = _listeners.Select(listener => listener.Inode).ToHashSet();
        var hidden = false;
        foreach (var pid in WorkerTree.Of(_pid(), until))
        {
            try
            {
                Strike(pid, missing, isStrict: false, until);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                hidden |= exception is UnauthorizedAccessException;
            }

            if (missing.Count == 0)
            {
                return null;
            }
        }

        var names = string.Join(
            ", ", _listeners.Where(listener => missing.Contains(listener.Inode)).Select(listener => $"\"{listener.Name}\""));
        return Stopwatch.GetTimestamp() > until
            ? $"could not check within {ReadTimeout.TotalSeconds:0}s whether the worker waits for connections on {names}: "
                + "it has too many processes, threads or descriptors"
            : hidden
            ? $"cannot check whether the worker waits for connections on {names}: "
                + "the daemon may not read its /proc entries, which needs the worker's user or CAP_SYS_PTRACE"
            : $"the worker does not wait for connections on {names}, by epoll or in accept(), poll() or select()";
    }

    /// <summary>Removes what that process waits for, as far as it can be read before a time.</summary>
    private static void Strike(int pid, HashSet<ulong> missing, bool isStrict, long until)
    {
        var listeners = new Dictionary<int, ulong>();
        var sets = new List<int>();
        void AddListener(int number, ulong inode)
        {
            if (missing.Contains(inode))
            {
                listeners.TryAdd(number, inode);
            }
        }

        if (!OpenFiles.Read(pid, "anon_inode:[eventpoll]"u8, AddListener, sets.Add, until, out var isHidden) && isHidden)
        {
            throw new UnauthorizedAccessException();
        }

        foreach (var set in listeners.Count == 0 ? [] : sets)
        {
            StrikeSet(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fdinfo/{set}"), missing, listeners, isStrict, until);
        }

        if (listeners.Count == 0 || missing.Count == 0)
        {
            return;
        }

        foreach (var task in Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task")))
        {
            if (Stopwatch.GetTimestamp() > until)
            {
                return;
            }

            foreach (var number in Awaited(pid, File.ReadAllText(task + "/syscall"), listeners.Keys))
            {
                missing.Remove(listeners[number]);
            }
        }
    }

    /// <summary>
    /// Removes the listeners in an epoll set that are among the <paramref name="open"/> descriptors: a set keeps a closed
    /// descriptor while another process has the socket. If <paramref name="isStrict"/>, only level-triggered ones whose registered
    /// descriptor is still open.
    /// </summary>
    private static void StrikeSet(string path, HashSet<ulong> missing, Dictionary<int, ulong> open, bool isStrict, long until)
    {
        foreach (var line in File.ReadLines(path))
        {
            if (Stopwatch.GetTimestamp() > until)
            {
                return;
            }

            if (!line.StartsWith("tfd:", StringComparison.Ordinal))
            {
                continue;
            }

            var events = Hex(line, "events:");
            var inode = Hex(line, "ino:");
            if ((events & PollIn) != 0
                && (isStrict ? (events & EdgeTriggered) == 0 && open.GetValueOrDefault(Decimal(line)) == inode : open.ContainsValue(inode)))
            {
                missing.Remove(inode);
            }
        }
    }

    /// <summary>The descriptor number of a line of fdinfo: "tfd:        5 events:       19 ...".</summary>
    private static int Decimal(string line)
    {
        var digits = line.AsSpan("tfd:".Length).TrimStart();
        var end = digits.IndexOf(' ');
        return int.TryParse(end < 0 ? digits : digits[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : -1;
    }

    /// <summary>Which of these descriptors a blocked call waits for; the line is the call's number and its arguments.</summary>
    private static IEnumerable<int> Awaited(int pid, string line, IEnumerable<int> descriptors)
    {
        var fields = line.Split(' ');
        if (fields.Length < 3 || !int.TryParse(fields[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var call)
            || call < 0)
        {
            return [];
        }

        var first = Hex(fields[1], "0x");
        var second = Hex(fields[2], "0x");
        if (call == Numbers.Accept || call == Numbers.Accept4)
        {
            return descriptors.Where(number => (ulong)number == first);
        }

        if (call == Numbers.Poll || call == Numbers.PPoll)
        {
            // struct pollfd: fd, events, revents.
            var polled = Memory(pid, first, (int)Math.Min(second, MaxPolled) * 8);
            return descriptors.Where(number => Enumerable.Range(0, polled.Length / 8).Any(i =>
                BinaryPrimitives.ReadInt32LittleEndian(polled.AsSpan(i * 8)) == number && (polled[(i * 8) + 4] & PollIn) != 0));
        }

        if (call == Numbers.Select || call == Numbers.PSelect)
        {
            // The fd_set of readable ones.
            var selected = second == 0 ? [] : Memory(pid, second, (int)(Math.Min(first, MaxPolled) + 7) / 8);
            return descriptors.Where(number => number / 8 < selected.Length && (selected[number / 8] >> (number % 8) & 1) != 0);
        }

        return [];
    }

    private static byte[] Memory(int pid, ulong address, int length)
    {
        using var memory = File.OpenHandle(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/mem"));
        var bytes = new byte[length];
        return bytes[..RandomAccess.Read(memory, bytes, (long)address)];
    }

    /// <summary>The hexadecimal number after a label; 0 if there is none.</summary>
    private static ulong Hex(string line, string label)
    {
        var at = line.IndexOf(label, StringComparison.Ordinal);
        if (at < 0)
        {
            return 0;
        }

        var digits = line.AsSpan(at + label.Length).TrimStart();
        var length = 0;
        while (length < digits.Length && char.IsAsciiHexDigit(digits[length]))
        {
            length++;
        }

        return ulong.TryParse(digits[..length], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : 0;
    }

    /// <summary>System call numbers, asm/unistd_64.h and asm-generic/unistd.h.</summary>
    private readonly record struct Calls(int Accept, int Accept4, int Poll, int PPoll, int Select, int PSelect);
}
