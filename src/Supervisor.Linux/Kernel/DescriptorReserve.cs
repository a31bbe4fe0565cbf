namespace Supervisor.Linux.Kernel;

/// <summary>
/// Descriptors that the daemon reserves for itself. Without a free descriptor no client could ask what is wrong: the control
/// interface needs a few for each connection.
/// </summary>
public static class DescriptorReserve
{
    /// <summary>How many descriptors workers and clients must leave free.</summary>
    public const int FromWorkers = 16;

    /// <summary>How many descriptors listeners must leave free; workers need some too.</summary>
    public const int FromListeners = FromWorkers + 24;
}
