using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Passes the state to systemd's descriptor store, because a cleared runtime directory has no state file: a checkpoint as a sealed
/// memory file, and the journal that follows it. Without systemd it does nothing. On the loop.
/// </summary>
internal sealed class StateStore(CrashSafeDescriptors descriptors, string stateFile) : IDisposable
{
    private DescriptorHandle? _stored;

    /// <summary>Passes a checkpoint, which was written to the state file just now, and its journal, which the caller keeps.</summary>
    public void Put(DescriptorHandle journal)
    {
        if (descriptors.IsSystemd && Succession.SealedMemory("listend-state", Copy, out _) is { } memory)
        {
            descriptors.BringState(memory, journal);
            _stored?.Dispose();
            _stored = memory;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stored?.Dispose();

    private void Copy(Stream to)
    {
        using var file = File.OpenRead(stateFile);
        file.CopyTo(to);
    }
}
