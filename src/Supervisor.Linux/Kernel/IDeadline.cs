namespace Supervisor.Linux.Kernel;

/// <summary>An object on the loop with a deadline.</summary>
public interface IDeadline
{
    /// <summary>When to call it, on the loop's clock; null: not at all.</summary>
    TimeSpan? NextDeadline { get; }

    /// <summary>Called after that moment has passed.</summary>
    void PassDeadline();
}
