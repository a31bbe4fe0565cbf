using System.Globalization;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>What /proc/PID/stat says of a process: proc_pid_stat(5).</summary>
/// <param name="ParentPid">Field 4.</param>
/// <param name="SessionId">Field 6.</param>
/// <param name="StartTime">Field 22: clock ticks since boot. With the process id it names one process, also after that id has been given away again.</param>
public readonly record struct ProcFile(int ParentPid, int SessionId, ulong StartTime)
{
    private const int MaxStatBytes = 2048;

    /// <summary>Reads it; null where the process is gone or hidden.</summary>
    public static ProcFile? Read(int pid)
    {
        // By raw calls, since it is read of each worker that is spawned. The kernel writes it as a whole, less than 1.5 KiB.
        using var file = Files.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"), 0, 0, out _);
        Span<byte> text = stackalloc byte[MaxStatBytes];
        var length = file is null ? 0 : Files.Read(file, text, out _);

        // The command may hold anything, blanks and brackets too: fields are counted from its closing bracket.
        var end = length <= 0 ? -1 : text[..length].LastIndexOf((byte)')');
        if (end < 0 || end + 2 > length)
        {
            return null;
        }

        ReadOnlySpan<byte> rest = text[(end + 2)..length];
        return Field(rest, 1) is { } parent && Field(rest, 3) is { } session && Field(rest, 19) is { } start
            ? new ProcFile((int)parent, (int)session, start)
            : null;
    }

    /// <summary>A process's short name, from /proc/PID/comm; null where it is gone or hidden.</summary>
    public static string? Command(int pid)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/comm")).TrimEnd('\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether a process was executed with that variable; false where it is gone, hidden, or has overwritten its environment.</summary>
    public static bool HasVariable(int pid, string name, string value) => HasVariable(pid, $"{name}={value}", isWhole: true);

    /// <summary>The same of a variable of that name, whatever its value.</summary>
    public static bool HasVariableNamed(int pid, string name) => HasVariable(pid, name + "=", isWhole: false);

    /// <summary>Every process that this one may see.</summary>
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
    /// The children of this process's main thread, which spawns all of its own and to which orphans come where it is a
    /// subreaper (kernel/exit.c, find_new_reaper). None where the kernel does not tell (CONFIG_PROC_CHILDREN).
    /// </summary>
    public static int[] OwnChildren()
    {
        try
        {
            var self = Processes.CurrentPid;
            return [.. File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{self}/task/{self}/children"))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pid => int.Parse(pid, NumberStyles.None, CultureInfo.InvariantCulture))];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Whether <paramref name="pid"/> is <paramref name="ancestor"/>, of its session, or below it.</summary>
    public static bool DescendsFrom(int pid, int ancestor)
    {
        for (var depth = 0; depth < 64 && pid > 1; depth++)
        {
            if (pid == ancestor)
            {
                return true;
            }

            if (Read(pid) is not { } process)
            {
                return false;
            }

            if (process.SessionId == ancestor)
            {
                return true;
            }

            pid = process.ParentPid;
        }

        return false;
    }

    /// <summary>Processes of a session other than its leader. A call for each process of the host, not a file: it runs at each worker's end.</summary>
    public static IEnumerable<int> MembersOf(int session)
    {
        foreach (var pid in All())
        {
            if (pid != session && Processes.SessionOf(pid) == session)
            {
                yield return pid;
            }
        }
    }

    /// <summary>A number, counted from the field that follows the command; null where there is none.</summary>
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

    private static bool HasVariable(int pid, string start, bool isWhole)
    {
        try
        {
            var environment = File.ReadAllBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ")).AsSpan();
            var wanted = Encoding.UTF8.GetBytes(start);
            foreach (var range in environment.Split((byte)0))
            {
                var variable = environment[range];
                if (variable.StartsWith(wanted) && (!isWhole || variable.Length == wanted.Length))
                {
                    return true;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Gone, or not ours to look at.
        }

        return false;
    }
}
