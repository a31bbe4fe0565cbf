using Serilog;
using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core.State;
using Supervisor.Linux.Continuity;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Claims a runtime directory of which another listend may be in charge. This process takes over from a daemon of the same
/// configuration; from another one only with <c>--take-over</c>, because a wrong path is easily typed.
/// </summary>
internal static class InstanceClaim
{
    private const string Remedy = "stop it first, or set another directory with --runtime-directory or daemon.runtime_directory";

    /// <summary>
    /// The lock; null with the reason, which names the daemon in charge and the remedy. If that daemon has handed over,
    /// <paramref name="previous"/> is what it handed over.
    /// </summary>
    /// <param name="paths">The runtime directory.</param>
    /// <param name="config">The configuration of this process; null if it has errors, so this process must not take over.</param>
    /// <param name="file">The full path of its main file; null without one.</param>
    /// <param name="isForced">Whether to take over whatever the other daemon's configuration is.</param>
    /// <param name="log">The log.</param>
    /// <param name="previous">What was handed over.</param>
    /// <param name="error">The reason.</param>
    public static InstanceLock? TryClaim(
        RuntimePaths paths, ListendConfig? config, string? file, bool isForced, ILogger log, out PreviousDaemonState? previous,
        out string? error)
    {
        previous = null;
        if (InstanceLock.TryTake(paths, out var isHeld, out error) is { } free)
        {
            return free;
        }

        if (!isHeld)
        {
            return null;
        }

        var other = StateFile.Read(paths.StateFile).Manifest?.Config;
        if (!isForced && (config is null || other is null || !IsSame(other, config, file)))
        {
            error = $"{error}{Running(other)}; {Remedy}, or take over from it with --take-over";
            return null;
        }

        previous = TakenOverState.Take(paths.BrokerSocket, log, out var refusal);
        if (previous is not null)
        {
            return InstanceLock.Adopt(previous.Descriptors.Take(DescriptorKey.Lock)!);
        }

        // The other daemon may have exited in the meantime: the caller then recovers its state.
        if (InstanceLock.TryTake(paths, out _, out _) is { } freed)
        {
            return freed;
        }

        error = $"{error} and refuses the take-over: {refusal}; {Remedy}";
        return null;
    }

    private static string Running(ConfigEntry? other) =>
        other is null ? "; its configuration is unknown"
        : other.File is { } file ? $" and runs {file}"
        : " and runs what its command line gives";

    /// <summary>Whether both come from the same file, which may have changed, or without a file have the same content.</summary>
    private static bool IsSame(ConfigEntry other, ListendConfig config, string? file) =>
        other.File == file && (file is not null || !PreviousDaemonState.IsOther(other, config));
}
