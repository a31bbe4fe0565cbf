using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Probes;

/// <summary>
/// <c>ready = "fd:N"</c>: the daemon's end of a pipe whose other end is the worker's descriptor N. The worker writes a newline
/// when it is ready, as for s6 (https://skarnet.org/software/s6/notifywhenup.html). Owns the descriptor. Lives on the loop.
/// </summary>
internal sealed class ReadyPipe(DescriptorHandle descriptor) : IDisposable
{
    /// <summary>Bytes that are read at a time: a worker may write anything before its newline.</summary>
    private const int MostAtOnce = 4096;

    private EventLoop? _loop;

    /// <summary>The read end, for a successor.</summary>
    public DescriptorHandle Descriptor => descriptor;

    /// <summary>Whether the newline or the end of the file was read.</summary>
    public bool IsOver { get; private set; }

    /// <summary>
    /// Calls <paramref name="onEnd"/> once, with true at the first newline, and with false if the other end is closed before.
    /// </summary>
    public void Watch(EventLoop loop, Action<bool> onEnd)
    {
        _loop = loop;
        loop.Watch(descriptor, () => Read(onEnd));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop?.Unwatch(descriptor);
        descriptor.Dispose();
    }

    private void Read(Action<bool> onEnd)
    {
        Span<byte> bytes = stackalloc byte[MostAtOnce];
        var count = Files.Read(descriptor, bytes, out var error);
        if (count < 0 && error is null)
        {
            return;
        }

        var isReady = count > 0 && bytes[..count].Contains((byte)'\n');
        if (count > 0 && !isReady)
        {
            return;
        }

        IsOver = true;
        _loop!.Unwatch(descriptor);
        onEnd(isReady);
    }
}
