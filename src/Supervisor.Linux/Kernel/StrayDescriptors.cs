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
        var strays = new List<string>();
        foreach (var path in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number > 2 && !known.Contains(number) && !Succession.IsCloseOnExec(number) && OpenFiles.ReadLink(path) is { } target)
            {
                strays.Add(target);
                new DescriptorHandle(number).Dispose();
            }
        }

        return strays;
    }
}
