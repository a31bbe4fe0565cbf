using Spectre.Console;

namespace Supervisor.Listenctl.Terminal;

/// <summary>Colours by meaning: green for success, yellow for a transition or a difference, red for a failure, dim for details.</summary>
internal static class Palette
{
    public static readonly Style Plain = Style.Plain;
    public static readonly Style Success = new(Color.Green);
    public static readonly Style Warning = new(Color.Olive);
    public static readonly Style Failure = new(Color.Maroon);
    public static readonly Style Muted = new(decoration: Decoration.Dim);
    public static readonly Style Name = new(decoration: Decoration.Bold);

    /// <summary>The state of a worker, a service, a listener or a roll-out, in its style.</summary>
    public static StyledText State(string state) => new(state, StateStyle(state));

    /// <summary>The style of a state.</summary>
    public static Style StateStyle(string state) => state switch
    {
        "ready" or "running" or "listening" or "bound" or "done" => Success,
        "starting" or "draining" or "stopping" or "backoff" or "degraded" => Warning,
        "rolling" or "replacing" or "canary" or "rolling-back" or "superseded" => Warning,
        "failed" or "exited" or "rolled-back" => Failure,
        "stopped" => Muted,
        _ => Plain,
    };

    /// <summary>The style of a verdict: how the effective value compares with the requested one.</summary>
    public static Style Verdict(string verdict) => verdict switch
    {
        "exact" => Success,
        "adjusted" or "ignored" or "drifted" => Warning,
        "refused" => Failure,
        "default" or "inherited" => Muted,
        _ => Plain,
    };
}
