using Microsoft.Win32.SafeHandles;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The last written listeners of the state, in a memory file. The whole state is written at each change of a worker, and copying
/// thousands of listeners with their histories is faster than writing them again.
/// </summary>
internal sealed class ListenerSegment : IDisposable
{
    private readonly FileStream _memory;

    public ListenerSegment()
    {
        using var memory = Succession.Memory("listend-listeners", out var refused)
            ?? throw new IOException($"no memory for the state: {refused}");
        _memory = new FileStream(new SafeFileHandle(memory.Number, ownsHandle: true), FileAccess.ReadWrite);
        memory.SetHandleAsInvalid();
    }

    /// <summary>Replaces the content by what <paramref name="listeners"/> writes.</summary>
    public void Write(Action<Stream> listeners)
    {
        _memory.SetLength(0);
        listeners(_memory);
        _memory.Flush();
    }

    /// <summary>Copies the content to a stream.</summary>
    public void CopyTo(Stream stream)
    {
        _memory.Position = 0;
        _memory.CopyTo(stream);
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
