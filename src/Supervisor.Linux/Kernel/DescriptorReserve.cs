using Supervisor.Native;

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

    /// <summary>Why a worker's or client's descriptor is rejected when the reserve is reached, with the remedy.</summary>
    public const string ReachedText =
        "the daemon's last descriptors are kept for its own use: raise LimitNOFILE= in its unit, or ulimit -n";

    /// <summary>
    /// Whether fewer than <paramref name="reserve"/> descriptors are free above this one. The kernel gives the lowest free number,
    /// so the newest descriptor shows how many are in use.
    /// </summary>
    public static bool IsReached(DescriptorHandle newest, int reserve = FromWorkers) =>
        (ulong)newest.Number + (ulong)reserve >= Processes.DescriptorLimit();

    /// <summary>
    /// Whether so many descriptors may not be free: the lowest free number is high. It costs as much as one descriptor, and can miss that
    /// the upper numbers are in use while lower ones are free. <paramref name="any"/> is an open descriptor.
    /// </summary>
    public static bool IsNear(DescriptorHandle any, int count)
    {
        using var lowest = Descriptors.Duplicate(any, out _);
        return lowest is null || (ulong)(lowest.Number + count + FromWorkers) >= Processes.DescriptorLimit() / 2;
    }

    /// <summary>Whether only the reserve is free.</summary>
    public static bool IsReached()
    {
        using var newest = Descriptors.Duplicate(2);
        return newest is null || IsReached(newest);
    }
}
