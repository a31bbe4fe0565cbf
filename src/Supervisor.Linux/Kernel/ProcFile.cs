using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Supervisor.Core.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>Fields of /proc/PID/stat: proc_pid_stat(5).</summary>
/// <param name="ParentPid">Field 4.</param>
/// <param name="SessionId">Field 6.</param>
/// <param name="StartTime">Field 22: clock ticks since boot. Together with the process id it identifies one process, even if
/// the id is reused.</param>
/// <param name="HasEnded">Whether field 3 shows that the process has exited and was not reaped.</param>
public readonly record struct ProcFile(int ParentPid, int SessionId, ulong StartTime, bool HasEnded = false)
{
    private const int MaxStatBytes = 2048;
    private const int MaxStatusBytes = 1024;
    private const int MaxCgroupBytes = 16 * 1024;

    /// <summary>A status with up to 20,000 supplementary groups, which come before the signals.</summary>
    private const int MaxGroupsBytes = 256 * 1024;
    private const int MaxEnvironmentBytes = 4 * 1024 * 1024;

    /// <summary>Field 3, such as 'S' or 'D'.</summary>
    public char State { get; init; }

    /// <summary>Reads the fields; null if the process has exited or is hidden.</summary>
    public static ProcFile? Read(int pid)
    {
        // Raw calls, because this is read for each spawned worker. The kernel returns the file in one read, less than 1.5 KiB.
        using var file = Files.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"), 0, 0, out _);
        Span<byte> text = stackalloc byte[MaxStatBytes];
        var length = file is null ? 0 : Files.Read(file, text, out _);
        return length <= 0 ? null : ParseStat(text[..length]);
    }

    /// <summary>The fields in the text of /proc/PID/stat; null if one of them is missing.</summary>
    internal static ProcFile? ParseStat(ReadOnlySpan<byte> stat)
    {
        // The command can contain any character, also blanks and brackets, so fields are counted from its closing bracket.
        var end = stat.LastIndexOf((byte)')');
        if (end < 0 || end + 2 > stat.Length)
        {
            return null;
        }

        var rest = stat[(end + 2)..];
        return Field(rest, 1) is { } parent && Field(rest, 3) is { } session && Field(rest, 19) is { } start
            ? new ProcFile((int)parent, (int)session, start, rest[0] is (byte)'Z' or (byte)'X') { State = (char)rest[0] }
            : null;
    }

    /// <summary>
    /// The real, effective and saved user id from /proc/PID/status, which the kernel reads without the locks of the process's
    /// memory. Null if the process has exited or is hidden. The owner of /proc/PID does not help: it is root for a process that
    /// has changed its user (fs/proc/base.c, task_dump_owner).
    /// </summary>
    public static (uint Real, uint Effective, uint Saved)? UsersOf(int pid)
    {
        using var file = Files.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"), 0, 0, out _);
        Span<byte> text = stackalloc byte[MaxStatusBytes];
        var length = file is null ? 0 : Files.Read(file, text, out _);
        return ParseUsers(text[..Math.Max(0, length)]);
    }

    /// <summary>The real, effective and saved user id in the text of /proc/PID/status; null if it has none.</summary>
    internal static (uint Real, uint Effective, uint Saved)? ParseUsers(ReadOnlySpan<byte> status)
    {
        // A process name cannot forge a line, because the kernel escapes its newlines (fs/proc/array.c, proc_task_name).
        var at = status.IndexOf("\nUid:\t"u8);
        if (at < 0)
        {
            return null;
        }

        var rest = status[(at + "\nUid:\t"u8.Length)..];
        Span<uint> ids = stackalloc uint[3];
        for (var i = 0; i < ids.Length; i++)
        {
            if (!Utf8Parser.TryParse(rest, out ids[i], out var digits) || digits + 1 > rest.Length)
            {
                return null;
            }

            rest = rest[(digits + 1)..];
        }

        return (ids[0], ids[1], ids[2]);
    }

    /// <summary>How the process treats signals, from /proc/PID/status. Null if the process has exited or is hidden.</summary>
    public static SignalMasks? SignalsOf(int pid)
    {
        using var file = Files.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"), 0, 0, out _);
        if (file is null)
        {
            return null;
        }

        Span<byte> text = stackalloc byte[4 * 1024];
        return Files.Read(file, text, out _) is > 0 and var length && SignalMasks.Parse(text[..length]) is { } masks
            ? masks
            : WholeSignalsOf(pid);
    }

    /// <summary>The same for a process with many groups.</summary>
    private static SignalMasks? WholeSignalsOf(int pid)
    {
        using var file = Files.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"), 0, 0, out _);
        return file is null ? null : SignalMasks.Parse(ReadAll(file, MaxGroupsBytes));
    }

    /// <summary>
    /// The process's cgroup of version 2 from /proc/PID/cgroup, without the "0::"; null if there is none, or if the process has
    /// exited or is hidden.
    /// </summary>
    public static string? CgroupOf(int pid)
    {
        using var file = Files.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cgroup"), 0, 0, out _);
        return file is null ? null : ParseCgroup(ReadAll(file, MaxCgroupBytes));
    }

    /// <summary>The cgroup of version 2 in the text of /proc/PID/cgroup, without the "0::"; null if there is none.</summary>
    internal static string? ParseCgroup(ReadOnlySpan<byte> text)
    {
        // cgroup_mkdir() rejects a name with a newline.
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (line.StartsWith("0::/"u8) && range.End.GetOffset(text.Length) < text.Length)
            {
                return Encoding.UTF8.GetString(line[3..]);
            }
        }

        return null;
    }

    /// <summary>
    /// The values of variables in the process's initial environment, in the order of <paramref name="names"/>; null for a
    /// variable that is not set. All are null if the process has exited, is hidden, or has overwritten its environment. The
    /// read accesses the process's memory and can block for ever: use a thread that may be lost (<see
    /// cref="ProcessEnvironment"/>).
    /// </summary>
    internal static string?[] VariablesOf(int pid, params ReadOnlySpan<string> names)
    {
        var values = new string?[names.Length];
        using var file = Files.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ"), 0, 0, out _);
        if (file is null)
        {
            return values;
        }

        using var all = new MemoryStream();
        var buffer = new byte[32 * 1024];
        for (int count; all.Length < MaxEnvironmentBytes && (count = Files.Read(file, buffer, out _)) > 0;)
        {
            all.Write(buffer, 0, count);
        }

        var environment = all.GetBuffer().AsSpan(0, (int)all.Length);
        foreach (var range in environment.Split((byte)0))
        {
            var variable = environment[range];
            var end = variable.IndexOf((byte)'=');
            for (var i = 0; end > 0 && i < names.Length; i++)
            {
                if (values[i] is null && variable[..end].SequenceEqual(Encoding.UTF8.GetBytes(names[i])))
                {
                    values[i] = Encoding.UTF8.GetString(variable[(end + 1)..]);
                }
            }
        }

        return values;
    }

    /// <summary>A process's short name from /proc/PID/comm; null if the process has exited or is hidden.</summary>
    public static string? Command(int pid) => ReadText(pid, "comm");

    /// <summary>Where a process waits in the kernel: proc_pid_wchan(5). Null if it has exited or is hidden.</summary>
    public static string? WaitChannel(int pid) => ReadText(pid, "wchan");

    private static string? ReadText(int pid, string file)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}")).TrimEnd('\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The ids of all processes that this process can see.</summary>
    public static IEnumerable<int> All()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                yield return pid;
            }
        }
    }

    /// <summary>
    /// The children of this process's main thread. That thread spawns all children, and orphans become its children if it is a
    /// subreaper (kernel/exit.c, find_new_reaper). Empty if the kernel does not report them (CONFIG_PROC_CHILDREN).
    /// </summary>
    /// <param name="isWanted">Leaves out the others: most of thousands of children are known. Null: all.</param>
    /// <remarks>
    /// The kernel may omit a child while another one is reaped, proc(5). What several looks have shown together is complete, unless each of
    /// them lacked the same child.
    /// </remarks>
    public static IReadOnlyList<int> OwnChildren(Predicate<int>? isWanted = null)
    {
        const int mostLooks = 5;
        var seen = new HashSet<int>();
        for (var look = 1; look <= mostLooks; look++)
        {
            var mark = Processes.ReapingMark();
            var children = ChildrenOf(Processes.CurrentPid, isWanted) ?? [];
            if (look == 1 && !Processes.HasReapedSince(mark))
            {
                return children;
            }

            seen.UnionWith(children);
            if (!Processes.HasReapedSince(mark))
            {
                break;
            }
        }

        return [.. seen];
    }

    /// <summary>The same of another process; null if it has exited or is hidden.</summary>
    public static IReadOnlyList<int>? ChildrenOf(int pid, Predicate<int>? isWanted = null)
    {
        // The daemon may have thousands of children, and looks when a worker has exited.
        var children = new List<int>();
        return TryVisitChildren(pid, child =>
        {
            if (isWanted?.Invoke(child) != false)
            {
                children.Add(child);
            }

            return true;
        }) ? children : null;
    }

    /// <summary>
    /// Whether a process has children, and <paramref name="isKnown"/> knows all of them. It reads no further than the first unknown one:
    /// orphans of workers follow the children that the daemon has started, and there can be very many of them. False too if a child may have
    /// been omitted, because this process has reaped one in the meantime.
    /// </summary>
    public static bool HasOnlyKnownChildren(int pid, Predicate<int> isKnown)
    {
        // Another thread reaps for some microseconds.
        const int mostLooks = 3;
        for (var look = 1; look <= mostLooks; look++)
        {
            var (count, areKnown) = (0, true);
            var mark = Processes.ReapingMark();
            var isThere = TryVisitChildren(pid, child =>
            {
                count++;
                return areKnown = isKnown(child);
            });
            if (!isThere || !areKnown || count == 0)
            {
                return false;
            }

            if (pid != Processes.CurrentPid || !Processes.HasReapedSince(mark))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Visits the children of a process until <paramref name="visit"/> returns false. False if the process has exited.</summary>
    private static bool TryVisitChildren(int pid, Predicate<int> visit)
    {
        using var file = Files.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task/{pid}/children"), 0, 0, out _);
        if (file is null)
        {
            return false;
        }

        Span<byte> text = stackalloc byte[4 * 1024];
        for (int left = 0, count; (count = Files.Read(file, text[left..], out _)) > 0;)
        {
            ReadOnlySpan<byte> rest = text[..(left + count)];
            for (int end; (end = rest.IndexOf((byte)' ')) >= 0; rest = rest[(end + 1)..])
            {
                if (Utf8Parser.TryParse(rest[..end], out int child, out _) && !visit(child))
                {
                    return true;
                }
            }

            left = rest.Length;
            rest.CopyTo(text);
        }

        return true;
    }

    private static ReadOnlySpan<byte> ReadAll(DescriptorHandle file, int most)
    {
        var text = new byte[most];
        var length = 0;
        for (int count; length < text.Length && (count = Files.Read(file, text.AsSpan(length), out _)) > 0; length += count)
        {
        }

        return text.AsSpan(0, length);
    }

    /// <summary>The number in a field, counted from the first field after the command; null if there is none.</summary>
    private static ulong? Field(ReadOnlySpan<byte> fields, int index)
    {
        foreach (var field in fields.Split((byte)' '))
        {
            if (index-- == 0)
            {
                return ulong.TryParse(fields[field], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
            }
        }

        return null;
    }
}
