using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>A roll-out in a line.</summary>
internal static class RolloutText
{
    /// <summary>How it stands, with its generations.</summary>
    public static string Of(RolloutDocument rollout, string arrow)
    {
        var elapsed = HumanTime.Elapsed(TimeSpan.FromMilliseconds(rollout.ElapsedMs));
        var why = string.IsNullOrEmpty(rollout.Reason) ? "" : $": {rollout.Reason}";
        return rollout.State switch
        {
            "done" => $"generation {rollout.To} rolled out in {elapsed}",
            "rolled-back" => $"generation {rollout.To} rolled back after {elapsed}{why}",
            "failed" => $"roll-out of generation {rollout.To} failed after {elapsed}{why}",
            "superseded" => $"roll-out of generation {rollout.To} superseded after {elapsed}{why}",
            _ => $"{rollout.State} {rollout.From} {arrow} {rollout.To}: {Counts(rollout)}, {elapsed}{(rollout.Waits is null ? "" : $"; {rollout.Waits}")}{why}",
        };
    }

    /// <summary>How far it is.</summary>
    public static string Counts(RolloutDocument rollout) =>
        $"{rollout.Replaced} of {rollout.Total} replaced" + (rollout.Draining > 0 ? $", {rollout.Draining} draining{DrainText.With(rollout.DrainingConnections)}" : "");

    /// <summary>How it ended, for the service named; the daemon's own words where there are no figures to say it with.</summary>
    public static string Outcome(ChangeDocument restart)
    {
        if (restart.Rollout is not { } rollout)
        {
            return Named(restart, restart.Message);
        }

        var elapsed = HumanTime.Elapsed(TimeSpan.FromMilliseconds(rollout.ElapsedMs));
        var reason = string.IsNullOrEmpty(rollout.Reason) ? "" : $": {rollout.Reason}";
        return restart.Outcome switch
        {
            "done" when rollout.State == "rolled-back" => Named(restart, restart.Message),
            "done" => $"{restart.Service}: generation {rollout.To} serves, {rollout.Replaced} worker{(rollout.Replaced == 1 ? "" : "s")} replaced in {elapsed}",
            "rolled-back" => $"{restart.Service}: rolled back after {elapsed}{reason}",
            "superseded" => $"{restart.Service}: superseded after {elapsed}{(reason.Length > 0 ? reason : " by a newer roll-out")}",
            "failed" => $"{restart.Service}: failed after {elapsed}{(reason.Length > 0 ? reason : ": " + restart.Message)}",
            "timeout" => $"{restart.Service}: not done after {elapsed} ({Counts(rollout)}); the roll-out goes on: see \"listenctl status {restart.Service}\"",
            _ => Named(restart, restart.Message),
        };
    }

    /// <summary>The message of the daemon without the service's name before it.</summary>
    public static string Unnamed(ChangeDocument restart) =>
        restart.Message.StartsWith(restart.Service + ": ", StringComparison.Ordinal) ? restart.Message[(restart.Service.Length + 2)..] : restart.Message;

    /// <summary>A message of the daemon, with the service's name before it.</summary>
    public static string Named(ChangeDocument restart, string message) =>
        message.StartsWith(restart.Service + ":", StringComparison.Ordinal) ? message : $"{restart.Service}: {message}";
}
