using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Supervisor.Core.State;
using Supervisor.Daemon.Runtime;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The listeners' part of the state, as it was written last, in a memory file: the state is written whole whenever a worker
/// comes or goes, and thousands of listeners with their histories are copied faster than they are written again.
/// </summary>
internal sealed class ListenerSegment : IDisposable
{
    private readonly FileStream _memory;

    public ListenerSegment()
    {
        using var memory = Succession.Memory("listend-listeners", out var refused) ?? throw new IOException($"no memory for the state: {refused}");
        _memory = new FileStream(new SafeFileHandle(memory.Number, ownsHandle: true), FileAccess.ReadWrite);
        memory.SetHandleAsInvalid();
    }

    /// <summary>Writes it anew.</summary>
    public void Write(ImmutableArray<ListenerEntry> listeners, UnknownFields? unknown)
    {
        _memory.SetLength(0);
        ManifestFormat.WriteListeners(_memory, listeners, unknown);
        _memory.Flush();
    }

    /// <summary>Copies it.</summary>
    public void CopyTo(Stream stream)
    {
        _memory.Position = 0;
        _memory.CopyTo(stream);
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
