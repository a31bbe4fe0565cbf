using Supervisor.Core.Protocols;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// A connection to <see cref="EinhornSocket"/>, which owns its descriptor: lines of at most <see cref="EinhornMessage.MaxBytes"/>. One
/// that the worker has opened is closed after <see cref="Longest"/>, because a worker may forget to close it. Lives on the loop.
/// </summary>
/// <param name="descriptor">The daemon's end, with SO_PASSCRED.</param>
/// <param name="isLasting">Whether the connection may stay open.</param>
/// <param name="onMessage">Receives a message and its sender; false: the connection is to be closed.</param>
/// <param name="onRefused">Receives the kind of reason, the reason and the sender of what was rejected.</param>
/// <param name="onEnd">Called when it is to be closed.</param>
internal sealed class EinhornConnection(
    DescriptorHandle descriptor, bool isLasting, Func<EinhornMessage, int, bool> onMessage, Action<string, string, int> onRefused,
    Action<EinhornConnection> onEnd) : IDeadline
{
    /// <summary>How long a connection of the worker may stay open.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private byte[] _part = [];
    private EventLoop? _loop;

    /// <summary>The daemon's end.</summary>
    public DescriptorHandle Descriptor => descriptor;

    /// <summary>Whether the beginning of a line has arrived.</summary>
    public bool HasPart => _part.Length > 0;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        NextDeadline = null;
        if (HasPart)
        {
            onRefused("time", "the end of its line has not arrived in time", 0);
        }

        onEnd(this);
    }

    /// <summary>Reads on the loop.</summary>
    public void Watch(EventLoop loop)
    {
        _loop = loop;
        loop.Watch(descriptor, Read);
        if (!isLasting)
        {
            NextDeadline = loop.Now + Longest;
            loop.Schedule(this);
        }
    }

    /// <summary>Stops reading.</summary>
    public void Unwatch()
    {
        _loop?.Unwatch(descriptor);
        _loop?.Remove(this);
    }

    /// <summary>
    /// Reads what has arrived, at most the bytes of the longest line. Descriptors that come with it stay in the socket: whoever closes it
    /// closes them.
    /// </summary>
    public void Read()
    {
        Span<byte> data = stackalloc byte[EinhornMessage.MaxBytes];
        _part.CopyTo(data);
        var space = data[_part.Length..];
        var length = Sockets.Peek(
            descriptor, withCredentials: true, space, out var sender, out _, out _, out var carries, out var error);
        if (length < 0 && error is null)
        {
            return;
        }

        if (carries)
        {
            onRefused("descriptors", "it carries descriptors", sender);
        }

        if (length <= 0 || carries || Files.Read(descriptor, space[..length], out _) != length
            || !TakeLines(data[..(_part.Length + length)], sender))
        {
            onEnd(this);
        }
    }

    /// <summary>Handles the whole lines, and keeps the rest. False if the connection is to be closed.</summary>
    private bool TakeLines(ReadOnlySpan<byte> data, int sender)
    {
        for (int end; (end = data.IndexOf((byte)'\n')) >= 0; data = data[(end + 1)..])
        {
            var line = data[..end];
            if (line.TrimEnd((byte)'\r').IsEmpty)
            {
                continue;
            }

            if (!EinhornMessage.TryParse(line, out var message, out var problem))
            {
                onRefused("syntax", problem, sender);
                return false;
            }

            if (!onMessage(message, sender))
            {
                return false;
            }
        }

        _part = data.ToArray();
        if (_part.Length == EinhornMessage.MaxBytes)
        {
            onRefused("size", $"its line is longer than {EinhornMessage.MaxBytes} bytes", sender);
            return false;
        }

        return true;
    }
}
