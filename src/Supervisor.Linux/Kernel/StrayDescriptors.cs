using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Descriptors that came through execve() and that nobody knows: another thread of the predecessor had just opened one
/// without O_CLOEXEC (the runtime's collector reads /proc/meminfo so). All that is meant to come is known by number, and all
/// that this process opens itself is close-on-exec.
/// </summary>
public static class StrayDescriptors
{
    /// <summary>Closes them; what they were of. To be called before this process opens files by anything but its own means.</summary>
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
