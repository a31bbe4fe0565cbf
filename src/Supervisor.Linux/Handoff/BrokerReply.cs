using System.Buffers;
using System.Text.Json;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// The reply to one request: one packet, or several if there are many handles, because a packet carries at most
/// <see cref="BrokerRequest.MaxDescriptors"/> descriptors and <see cref="BrokerRequest.MaxBytes"/> bytes. Each packet is written
/// when it can be sent, so a reply that waits for a slow peer needs only the list of its handles.
/// </summary>
internal sealed class BrokerReply
{
    /// <summary>The bytes of a packet without its handles.</summary>
    private const int Frame = 64;

    private readonly byte[]? _text;
    private readonly int[]? _shards;
    private readonly int _length;
    private ListenerHandle[] _handles = [];

    /// <summary>
    /// For take: the descriptors to send, one per handle. Pooled, because lists of thousands become garbage that only a full
    /// collection frees.
    /// </summary>
    private DescriptorHandle[]? _descriptors;
    private int _next;
    private int _count;
    private bool _isSent;

    private BrokerReply(byte[] text) => _text = text;

    private BrokerReply(ListenerHandle[] handles, int[]? shards, bool withDescriptors)
    {
        _handles = handles;
        _length = handles.Length;
        _shards = shards;
        if (withDescriptors)
        {
            _descriptors = ArrayPool<DescriptorHandle>.Shared.Rent(_length);
            for (var i = 0; i < _length; i++)
            {
                _descriptors[i] = handles[i].DescriptorOf(Shard(i))!;
            }
        }
    }

    /// <summary>{"ok": true}.</summary>
    public static BrokerReply Ok() => new("""{"ok":true}"""u8.ToArray());

    /// <summary>Whether the whole reply was sent.</summary>
    public bool IsDone => _text is null ? _isSent && _next == _length : _isSent;

    /// <summary>Whether the next packet can be sent: none of its handles was closed in the meantime.</summary>
    public bool IsWhole
    {
        get
        {
            for (var i = _next; _descriptors is not null && i < Math.Min(_next + BrokerRequest.MaxDescriptors, _length); i++)
            {
                if (!ReferenceEquals(_handles[i].DescriptorOf(Shard(i)), _descriptors[i]))
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>The reply to take: handles with descriptors; a handle with shards appears once for each shard.</summary>
    public static BrokerReply Take(ListenerHandle[] handles)
    {
        if (!Array.Exists(handles, HasShards))
        {
            return new BrokerReply(handles, null, withDescriptors: true);
        }

        var all = handles.SelectMany(handle => handle.Sockets.Take(HasShards(handle) ? int.MaxValue : 1)
            .Select((_, shard) => (Handle: handle, Shard: shard))).ToArray();
        return new BrokerReply(Array.ConvertAll(all, one => one.Handle), Array.ConvertAll(all, one => one.Shard), withDescriptors: true);
    }

    /// <summary>Of a steered listener only the first socket is taken: the others belong to workers.</summary>
    private static bool HasShards(ListenerHandle handle) => handle.Sockets.Count > 1 && handle.Steering is null;

    /// <summary>The reply to list: handles without descriptors.</summary>
    public static BrokerReply List(ListenerHandle[] handles) => new(handles, null, withDescriptors: false);

    /// <summary>An error reply.</summary>
    public static BrokerReply Error(BrokerError error)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("error"u8);
            writer.WriteString("code"u8, error.Word);
            writer.WriteString("message"u8, error.Message);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return new BrokerReply(buffer.WrittenSpan.ToArray());
    }

    /// <summary>
    /// Writes the next packet to <paramref name="packet"/> and sends it. False if there is no buffer space yet, or if
    /// <paramref name="error"/> is set.
    /// </summary>
    public bool TrySend(
        DescriptorHandle socket, BrokerPacket packet, Action<ReadOnlySpan<ListenerHandle>> onPassed, out SystemCallError? error)
    {
        if (_text is not null)
        {
            return _isSent = DescriptorPassing.Send(socket, _text, [], wait: false, out error);
        }

        // A packet that did not fit is still there, unless another connection has overwritten the buffer.
        if (packet.Of != this)
        {
            packet.Bytes.ResetWrittenCount();
            Write(packet.Bytes);
            packet.Of = this;
        }

        var riding = _descriptors is null ? [] : _descriptors.AsSpan(_next, _count);
        if (!DescriptorPassing.Send(socket, packet.Bytes.WrittenSpan, riding, wait: false, out error))
        {
            return false;
        }

        packet.Of = null;
        onPassed(_handles.AsSpan(_next, riding.Length));
        _next += _count;
        _isSent = true;
        if (IsDone)
        {
            Release();
        }

        return true;
    }

    /// <summary>Returns the pooled list; if a reply is not sent completely, the collector frees it.</summary>
    private void Release()
    {
        _handles = [];
        if (_descriptors is { } borrowed)
        {
            _descriptors = null;
            ArrayPool<DescriptorHandle>.Shared.Return(borrowed, clearArray: true);
        }
    }

    private int Shard(int index) => _shards?[index] ?? 0;

    /// <summary>Writes one packet and sets <see cref="_count"/> to its number of handles.</summary>
    private void Write(ArrayBufferWriter<byte> buffer)
    {
        buffer.Write("{\"handles\":["u8);
        _count = 0;
        while (_next + _count < _length && (_descriptors is null || _count < BrokerRequest.MaxDescriptors))
        {
            var entry = Encoded(_handles[_next + _count], Shard(_next + _count), isTaken: _descriptors is not null);
            if (_count > 0 && buffer.WrittenCount + entry.Length + Frame > BrokerRequest.MaxBytes)
            {
                break;
            }

            if (_count++ > 0)
            {
                buffer.Write(","u8);
            }

            buffer.Write(entry);
        }

        buffer.Write(_next + _count < _length ? "],\"more\":true}"u8 : "],\"more\":false}"u8);
    }

    /// <summary>
    /// A handle as JSON, encoded again only after a change. It shows the backlog as last read: a holder may have changed it,
    /// which the drift detection handles.
    /// </summary>
    private static byte[] Encoded(ListenerHandle handle, int shard, bool isTaken)
    {
        if (handle.Sockets.Count > 1 || handle.HasDrifted)
        {
            return Encode(handle, isTaken && handle.Sockets.Count > 1 ? shard : null);
        }

        if (handle.Lent is not { } lent
            || !ReferenceEquals(lent.Descriptor, handle.Descriptor)
            || !ReferenceEquals(lent.Effective, handle.Effective))
        {
            handle.Lent = lent = (handle.Descriptor, handle.Effective, Encode(handle, null));
        }

        return lent.Text;
    }

    private static byte[] Encode(ListenerHandle handle, int? shard)
    {
        var kind = handle.Spec.Address.Kind;
        var queue = handle.Descriptor is { } socket && handle.Listens ? AcceptQueue.Read(socket, kind, handle.Inode) : null;
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteString("name"u8, handle.Name);
        writer.WriteString("kind"u8, kind.Scheme());
        writer.WriteString("state"u8, handle.StateWord());
        writer.WriteString("requested"u8, handle.Requested);
        writer.WriteString("effective"u8, handle.Effective?.ToString());
        if (handle.Listens)
        {
            writer.WriteStartObject("backlog"u8);
            writer.WriteNumber("requested"u8, handle.Spec.Listen.Backlog);
            if (queue is { } known)
            {
                writer.WriteNumber("effective"u8, known.Limit);
            }
            else
            {
                writer.WriteNull("effective"u8);
            }

            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNull("backlog"u8);
        }

        writer.WriteNumber("shards"u8, Math.Max(1, handle.Sockets.Count));
        if (shard is { } index)
        {
            writer.WriteNumber("shard"u8, index);
            writer.WriteNumber("inode"u8, handle.Sockets[index].Inode);
        }
        else
        {
            writer.WriteNumber("inode"u8, handle.Inode);
        }

        writer.WriteString("origin"u8, handle.Origin.ToWireName());
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
