using Microsoft.Win32.SafeHandles;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The listeners' part of the state in a memory file, as it was written last. The state is written whole at each change of a
/// worker, and thousands of listeners with their histories are copied faster than they are written again.
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

    /// <summary>Replaces it by what <paramref name="listeners"/> writes.</summary>
    public void Write(Action<Stream> listeners)
    {
        _memory.SetLength(0);
        listeners(_memory);
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
