namespace Supervisor.Linux.Listeners;

/// <summary>
/// Whose socket one of a steered listener is. Its slot in the kernel is <see cref="ListenerSocket.Shard"/>. A socket outlives its
/// worker: the next worker of the same slot gets it, with what waits there.
/// </summary>
public sealed class SteeredSocket
{
    /// <summary>The slot of the worker that has it, or had it last; -1 if none had it yet.</summary>
    public int WorkerSlot { get; internal set; } = -1;

    /// <summary>The generation of that worker; 0 if none had it yet.</summary>
    public int Generation { get; internal set; }

    /// <summary>The connections and flows that the slot had been given before this generation got it.</summary>
    internal long SelectedBefore { get; set; }
}
