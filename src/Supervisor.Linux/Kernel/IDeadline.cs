namespace Supervisor.Linux.Kernel;

/// <summary>Something on the loop that waits for time.</summary>
public interface IDeadline
{
    /// <summary>When it wants to be called, on the loop's clock; null: not.</summary>
    TimeSpan? NextDeadline { get; }

    /// <summary>That moment has passed.</summary>
    void PassDeadline();
}
