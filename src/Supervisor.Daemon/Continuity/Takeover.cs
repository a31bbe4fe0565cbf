using Serilog;
using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core.State;
using Supervisor.Daemon.Runtime;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The claim on a runtime directory that another listend may be in charge of: one of the same configuration is taken over
/// from, one of another only if that was asked for, since whoever types a wrong path means no harm.
/// </summary>
internal static class Takeover
{
    /// <summary>
    /// The claim; null with the reason, which names who is in charge and the remedy. Where that one has left for this
    /// process, <paramref name="predecessor"/> is what it has handed over.
    /// </summary>
    /// <param name="paths">The runtime directory.</param>
    /// <param name="config">What this one was started with; null where it has errors, and then nobody is taken over from.</param>
    /// <param name="file">The main file of that, by its full path; null without one.</param>
    /// <param name="isForced">Whether it was asked to take over, whatever the other one's configuration.</param>
    /// <param name="log">The log.</param>
    /// <param name="predecessor">Who has handed over.</param>
    /// <param name="error">The reason.</param>
    public static InstanceLock? Claim(RuntimePaths paths, ListendConfig? config, string? file, bool isForced, ILogger log, out PreviousDaemonState? predecessor, out string? error)
    {
        predecessor = null;
        if (InstanceLock.TryTake(paths, out var isHeld, out error) is { } free)
        {
            return free;
        }

        if (!isHeld)
        {
            return null;
        }

        var remedy = "stop it first, or give this one a directory of its own by --runtime-directory or daemon.runtime_directory";
        var other = PreviousDaemonState.Peek(paths);
        if (!isForced && (config is null || other is null || !IsSame(other.Config, config, file)))
        {
            var running = other is null ? "; what it runs cannot be seen"
                : other.Config.File is { } configured ? $" and runs {configured}"
                : " and runs what its command line says";
            error = $"{error}{running}; {remedy}, or take its place without a loss by --take-over";
            return null;
        }

        predecessor = PreviousDaemonState.FromLiving(paths, log, out var refusal);
        if (predecessor is not null)
        {
            return InstanceLock.Adopt(predecessor.Descriptors.Take(DescriptorKey.Lock)!);
        }

        // It may have ended while it was asked: then it is like any that has.
        if (InstanceLock.TryTake(paths, out _, out _) is { } freed)
        {
            return freed;
        }

        error = $"{error} and does not make room: {refusal}; {remedy}";
        return null;
    }

    /// <summary>By its file, which may have changed; without one by what was asked for.</summary>
    private static bool IsSame(ConfigEntry other, ListendConfig config, string? file) =>
        other.File == file && (file is not null || !PreviousDaemonState.IsOther(other, config));
}
