namespace Supervisor.Core.Services;

/// <summary><c>recycle</c>: a worker is replaced when it is old or large.</summary>
public sealed record RecycleSpec
{
    /// <summary>The fractional part of the golden ratio: its multiples are spread evenly, however many there are.</summary>
    private const double Spread = 0.6180339887498949;

    /// <summary>The longest time for which a worker serves; zero: no limit.</summary>
    public TimeSpan MaxAge { get; init; }

    /// <summary>The most memory of all processes of a worker, in bytes; 0: no limit.</summary>
    public long MaxMemory { get; init; }

    /// <summary>By how many percent a limit is lower for some workers, so that not all are replaced together; 0 to 100.</summary>
    public int Jitter { get; init; } = 10;

    /// <summary>The limit of a worker's time, by its number.</summary>
    public TimeSpan AgeOf(int worker) => MaxAge * Share(worker);

    /// <summary>The limit of a worker's memory, by its number.</summary>
    public long MemoryOf(int worker) => (long)(MaxMemory * Share(worker));

    private double Share(int worker) => 1 - (Jitter / 100.0 * (worker * Spread % 1));
}
