using Supervisor.Native;

namespace Supervisor.Linux.Evidence;

/// <summary>Which network namespace this is: namespaces(7).</summary>
internal static class NetworkNamespace
{
    /// <summary>Its identity, such as net:[4026531840], where it is not that of process 1; null where it is.</summary>
    /// <remarks>An ordinary user may not read process 1's link; then nothing is said.</remarks>
    public static string? Foreign()
    {
        var own = OpenFiles.ReadLink("/proc/thread-self/ns/net");
        var first = OpenFiles.ReadLink("/proc/1/ns/net");
        return own is not null && first is not null && own != first ? own : null;
    }
}
