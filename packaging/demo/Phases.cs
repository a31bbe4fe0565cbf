namespace Supervisor.Demo;

/// <summary>The phases of the load, as named in the table of results.</summary>
internal static class Phases
{
    /// <summary>Warms up connections, pools and caches; counted, but not a measurement.</summary>
    public const string WarmUp = "warm-up";

    /// <summary>Load without any change of the service.</summary>
    public const string Rest = "at rest";

    /// <summary>Restarts replace the workers.</summary>
    public const string Restarts = "restarts";

    /// <summary>A restart fails, because the new workers do not start.</summary>
    public const string FailedDeploy = "failed deploy";

    /// <summary>A worker is killed.</summary>
    public const string Killed = "killed worker";

    /// <summary>The daemon drains and exits.</summary>
    public const string Leaving = "daemon's end";
}
