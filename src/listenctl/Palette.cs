using Spectre.Console;

namespace Supervisor.Listenctl;

/// <summary>What a colour means: green serves, yellow is on its way or not as asked, red has failed, grey is by the way.</summary>
internal static class Palette
{
    public static readonly Style Plain = Style.Plain;
    public static readonly Style Good = new(Color.Green);
    public static readonly Style Attention = new(Color.Olive);
    public static readonly Style Bad = new(Color.Maroon);
    public static readonly Style Quiet = new(decoration: Decoration.Dim);
    public static readonly Style Name = new(decoration: Decoration.Bold);

    /// <summary>A state of a worker, a service, a listener or a roll-out.</summary>
    public static Cell State(string state) => new(state, StateStyle(state));

    /// <summary>The style of a state.</summary>
    public static Style StateStyle(string state) => state switch
    {
        "ready" or "running" or "listening" or "bound" or "done" => Good,
        "starting" or "draining" or "stopping" or "backoff" or "degraded" or "rolling" or "replacing" or "canary" or "rolling-back" or "superseded" => Attention,
        "failed" or "exited" or "rolled-back" => Bad,
        "stopped" => Quiet,
        _ => Plain,
    };

    /// <summary>How the kernel's answer compares with what was asked.</summary>
    public static Style Verdict(string verdict) => verdict switch
    {
        "exact" => Good,
        "adjusted" or "ignored" or "drifted" => Attention,
        "refused" => Bad,
        "inherited" => Quiet,
        _ => Plain,
    };
}
