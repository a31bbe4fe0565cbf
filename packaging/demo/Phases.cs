namespace Supervisor.Demo;

/// <summary>The phases of the load, as the table at the end names them.</summary>
internal static class Phases
{
    /// <summary>Connections, pools and caches get warm; counted, but no measure of anything.</summary>
    public const string WarmUp = "warm-up";

    /// <summary>Nothing happens.</summary>
    public const string Rest = "at rest";

    /// <summary>Workers are being replaced.</summary>
    public const string Restarts = "restarts";

    /// <summary>Workers that do not start are being tried.</summary>
    public const string FailedDeploy = "failed deploy";

    /// <summary>A worker is killed.</summary>
    public const string Killed = "killed worker";

    /// <summary>The daemon drains and leaves.</summary>
    public const string Leaving = "daemon's end";
}
