namespace Supervisor.Linux.Kernel;

/// <summary>
/// Descriptors that the daemon keeps for itself. When none is left, nobody can ask it what is wrong: the control interface
/// needs a few for each connection.
/// </summary>
public static class DescriptorReserve
{
    /// <summary>How many no worker and no client may take.</summary>
    public const int FromWorkers = 16;

    /// <summary>How many no listener may take: the workers need some too.</summary>
    public const int FromListeners = FromWorkers + 24;
}
