using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>What /proc/PID/stat says of a process: proc_pid_stat(5).</summary>
/// <param name="ParentPid">Field 4.</param>
/// <param name="SessionId">Field 6.</param>
/// <param name="StartTime">Field 22: clock ticks since boot. With the process id it names one process, also after that id has been given away again.</param>
/// <param name="HasEnded">Whether field 3 says that it has exited and was not reaped.</param>
public readonly record struct ProcFile(int ParentPid, int SessionId, ulong StartTime, bool HasEnded = false)
{
    private const int MaxStatBytes = 2048;
    private const int MaxStatusBytes = 1024;
    private const int MaxCgroupBytes = 16 * 1024;
    private const int MaxEnvironmentBytes = 4 * 1024 * 1024;

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
            ? new ProcFile((int)parent, (int)session, start, rest[0] is (byte)'Z' or (byte)'X')
            : null;
    }

    /// <summary>
    /// The real, effective and saved user id from /proc/PID/status, which the kernel writes without the locks of the
    /// process's memory; null where the process is gone or hidden. The owner of /proc/PID is of no use: it is root for a
    /// process that has changed its user, task_dump_owner() in fs/proc/base.c.
    /// </summary>
    public static (uint Real, uint Effective, uint Saved)? UsersOf(int pid)
    {
        using var file = Files.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"), 0, 0, out _);
        Span<byte> text = stackalloc byte[MaxStatusBytes];
        var length = file is null ? 0 : Files.Read(file, text, out _);
        ReadOnlySpan<byte> rest = text[..Math.Max(0, length)];

        // A name cannot forge a line: its newlines are escaped, proc_task_name() in fs/proc/array.c.
        var at = rest.IndexOf("\nUid:\t"u8);
        if (at < 0)
        {
            return null;
        }

        rest = rest[(at + "\nUid:\t"u8.Length)..];
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

    /// <summary>Its cgroup of version 2 as /proc/PID/cgroup has it, without the "0::"; null where there is none, or the process is gone or hidden.</summary>
    public static string? CgroupOf(int pid)
    {
        using var file = Files.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cgroup"), 0, 0, out _);
        if (file is null)
        {
            return null;
        }

        var text = new byte[MaxCgroupBytes];
        var length = 0;
        for (int count; length < text.Length && (count = Files.Read(file, text.AsSpan(length), out _)) > 0; length += count)
        {
        }

        // cgroup_mkdir() refuses a name with a newline.
        foreach (var range in text.AsSpan(0, length).Split((byte)'\n'))
        {
            var line = text.AsSpan(0, length)[range];
            if (line.StartsWith("0::/"u8) && range.End.GetOffset(length) < length)
            {
                return Encoding.UTF8.GetString(line[3..]);
            }
        }

        return null;
    }

    /// <summary>
    /// The values of some variables that a process was executed with, in the order of <paramref name="names"/>; null for one
    /// that it does not have, and for all where it is gone, hidden, or has overwritten them. It can make the reader wait as
    /// long as it likes, since its memory is read: only for a thread that may be lost (<see cref="ProcessEnvironment"/>).
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
}
