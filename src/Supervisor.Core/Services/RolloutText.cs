using System.Globalization;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>The text of a roll-out for the log, for events and for listenctl.</summary>
public static class RolloutText
{
    /// <summary>
    /// Its progress or result, without the service's name: <c>generation 2 serves, 4 workers replaced in 1.2s</c>.
    /// </summary>
    public static string Of(RolloutFigures rollout)
    {
        var after = Duration.Rounded(rollout.Elapsed) + (string.IsNullOrEmpty(rollout.Reason) ? "" : $": {rollout.Reason}");
        return Of(rollout, after) + Cut(rollout.Cut) + LastLines(rollout.LastLines);
    }

    /// <summary>What a worker wrote last follows this in a text. Nothing else follows it.</summary>
    public const string BeforeLastLines = "; last lines: ";

    /// <summary><c>; last lines: A | B</c>, to follow another text; empty if there are none.</summary>
    public static string LastLines(IReadOnlyList<string>? lines) =>
        lines is { Count: > 0 } ? BeforeLastLines + string.Join(" | ", lines) : "";

    /// <summary><c>; 3 connections cut</c>, to follow another text; empty if none was cut.</summary>
    public static string Cut(long cut) => cut == 0 ? "" : $"; {DrainWords.Connections(cut)} cut";

    /// <summary>Its progress: <c>1 of 4 replaced, 1 draining with 3 connections</c>.</summary>
    public static string Progress(RolloutFigures rollout) =>
        string.Create(CultureInfo.InvariantCulture, $"{rollout.Replaced} of {rollout.Total} replaced")
        + (rollout.Draining == 0 ? ""
            : string.Create(CultureInfo.InvariantCulture, $", {rollout.Draining} draining{WithConnections(rollout.DrainingConnections)}"));

    /// <summary><c> with 3 connections</c>, to follow a number of workers; empty if the number of connections is unknown.</summary>
    public static string WithConnections(int? connections) => connections is { } count ? $" with {DrainWords.Connections(count)}" : "";

    /// <summary>When a canary is promoted.</summary>
    public static string Until(string service, RolloutState rollout, TimeSpan now) => rollout.PromotedAt is { } at
        ? $"it is promoted in {Duration.Rounded(at > now ? at - now : TimeSpan.Zero)}"
        : $"waiting for \"listenctl promote {service}\" or \"listenctl abort {service}\"";

    /// <summary>What it waits for besides its own workers; null if nothing.</summary>
    public static string? Waits(string service, RolloutState rollout, int maxGenerations, TimeSpan now) =>
        rollout.Phase == RolloutPhase.Canary ? Until(service, rollout, now)
        : rollout.WaitsFor.IsEmpty ? null
        : $"waits until generation {string.Join(", ", rollout.WaitsFor)} has exited (rollout.max_generations is {maxGenerations})";

    private static string Of(RolloutFigures rollout, string after) => rollout.State switch
    {
        "done" => string.Create(
            CultureInfo.InvariantCulture,
            $"generation {rollout.To} serves, {rollout.Replaced} worker{(rollout.Replaced == 1 ? "" : "s")} replaced in ")
            + Duration.Rounded(rollout.Elapsed),
        "rolled-back" =>
            string.Create(CultureInfo.InvariantCulture, $"generation {rollout.To} rolled back to generation {rollout.From} after {after}"),
        "failed" or "superseded" =>
            string.Create(CultureInfo.InvariantCulture, $"roll-out of generation {rollout.To} {rollout.State} after {after}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{rollout.State}, generation {rollout.To}: {Progress(rollout)}")
            + (rollout.Waits is null ? "" : $"; {rollout.Waits}")
            + (string.IsNullOrEmpty(rollout.Reason) ? "" : $": {rollout.Reason}"),
    };
}
