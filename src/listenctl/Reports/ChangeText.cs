using Supervisor.Control;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>A change of a service in a line. The sentences are the daemon's.</summary>
internal static class ChangeText
{
    /// <summary>The daemon's message, with the service's name before it.</summary>
    public static string Named(ChangeDocument change) =>
        change.Message.StartsWith(change.Service + ":", StringComparison.Ordinal) ? change.Message : $"{change.Service}: {change.Message}";

    /// <summary>The daemon's message, without the service's name.</summary>
    public static string Unnamed(ChangeDocument change) =>
        change.Message.StartsWith(change.Service + ": ", StringComparison.Ordinal)
        ? change.Message[(change.Service.Length + 2)..]
        : change.Message;

    /// <summary>The outcome; after a timeout with the command that shows how the change continues.</summary>
    public static string Outcome(ChangeDocument change) =>
        Named(change) + (change.Outcome == "timeout" ? $"; see \"listenctl status {change.Service}\"" : "");

    /// <summary>A roll-out in <c>status</c>; a running one with the time since it began.</summary>
    public static string Of(RolloutDocument rollout) => rollout.ToText()
        + (IsRunning(rollout) ? $" ({HumanTime.Elapsed(TimeSpan.FromMilliseconds(rollout.ElapsedMs))})" : "");

    /// <summary>Whether the roll-out has not ended.</summary>
    public static bool IsRunning(RolloutDocument rollout) => rollout.State is "replacing" or "canary" or "draining" or "rolling-back";
}
