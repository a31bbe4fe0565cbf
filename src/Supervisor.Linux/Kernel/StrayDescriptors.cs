using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Unknown descriptors that survived execve(): another thread of the predecessor had just opened one without O_CLOEXEC (the
/// runtime's collector opens /proc/meminfo this way). Expected descriptors are known by number, and this process opens all
/// files close-on-exec.
/// </summary>
public static class StrayDescriptors
{
    /// <summary>
    /// Closes the unknown descriptors and returns what they referred to. Call it before this process opens files in other ways.
    /// </summary>
    public static IReadOnlyList<string> Close(IReadOnlySet<int> known)
    {
        // Not by the entries of /proc/self/fd: .NET asks for the target of each, 50 ms with 10,000 listeners.
        var strays = new List<string>();
        var size = TableSize();
        for (var number = 3; number < size; number++)
        {
            if (!known.Contains(number) && Succession.SurvivesExecution(number)
                && OpenFiles.ReadLink(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{number}")) is { } target)
            {
                strays.Add(target);
                new DescriptorHandle(number).Dispose();
            }
        }

        return strays;
    }

    /// <summary>How many places the table of descriptors has: FDSize in proc_pid_status(5).</summary>
    private static int TableSize()
    {
        const string field = "FDSize:";
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return int.Parse(line.AsSpan(field.Length), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
    }
}
