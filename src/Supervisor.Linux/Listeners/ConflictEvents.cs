using System.Buffers.Binary;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// What the kernel announces that can clear the cause of a refused bind: changes of addresses and interfaces (rtnetlink(7)), and the
/// ends of sockets (sock_diag(7)). Its netlink sockets are open only while a listener waits. On the loop.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="onAddresses">Called when an address or an interface has changed.</param>
/// <param name="onDestroyed">Called with the ports of sockets that were destroyed; null if any port may be among them.</param>
internal sealed class ConflictEvents(EventLoop loop, Action onAddresses, Action<IReadOnlySet<int>?> onDestroyed)
{
    /// <summary>SKNLGRP_INET_TCP_DESTROY, INET_UDP, INET6_TCP, INET6_UDP: linux/sock_diag.h, bits 0 to 3.</summary>
    private const uint DestroyGroups = 0xF;

    private readonly byte[] _buffer = new byte[32 * 1024];
    private DescriptorHandle? _addresses;

    /// <summary>The same for other network namespaces, by their files.</summary>
    private readonly Dictionary<string, DescriptorHandle> _elsewhere = [];
    private DescriptorHandle? _destroyed;

    /// <summary>Receives the announcements, those of addresses also for a network namespace.</summary>
    public void Open(string? networkNamespace)
    {
        _addresses ??= Subscribe(NETLINK_ROUTE, NetlinkEvents.InterfacesAndAddresses, () => ReadAddresses(_addresses));
        if (networkNamespace is not null && !_elsewhere.ContainsKey(networkNamespace)
            && NamespaceCall.Subscribe(networkNamespace, NETLINK_ROUTE, NetlinkEvents.InterfacesAndAddresses) is { } events)
        {
            _elsewhere[networkNamespace] = events;
            loop.Watch(events, () => ReadAddresses(events));
        }

        _destroyed ??= Subscribe(NETLINK_SOCK_DIAG, DestroyGroups, ReadDestroyed);
    }

    /// <summary>No listener waits any more.</summary>
    public void Close()
    {
        Close(ref _addresses);
        Close(ref _destroyed);
        foreach (var events in _elsewhere.Values)
        {
            loop.Unwatch(events);
            events.Dispose();
        }

        _elsewhere.Clear();
    }

    private void Close(ref DescriptorHandle? socket)
    {
        if (socket is not null)
        {
            loop.Unwatch(socket);
            socket.Dispose();
            socket = null;
        }
    }

    private DescriptorHandle? Subscribe(int protocol, uint groups, Action onReadable)
    {
        if (NetlinkEvents.Subscribe(protocol, groups) is not { } socket)
        {
            return null;
        }

        loop.Watch(socket, onReadable);
        return socket;
    }

    private void ReadAddresses(DescriptorHandle? events)
    {
        if (events is not null)
        {
            NetlinkEvents.Drain(events, _buffer);
        }

        onAddresses();
    }

    private void ReadDestroyed()
    {
        var ports = new HashSet<int>();
        var isComplete = true;
        while (_destroyed is not null && Files.Read(_destroyed, _buffer, out var error) is var length && (length > 0 || error is not null))
        {
            if (length <= 0)
            {
                isComplete = false;
                continue;
            }

            // struct nlmsghdr, then struct inet_diag_msg, whose local port follows four bytes.
            const int headerLength = 16;
            for (var at = 0; at + headerLength + 8 <= length;)
            {
                var size = (int)BinaryPrimitives.ReadUInt32LittleEndian(_buffer.AsSpan(at));
                if (size < headerLength)
                {
                    break;
                }

                ports.Add(BinaryPrimitives.ReadUInt16BigEndian(_buffer.AsSpan(at + headerLength + 4)));
                at += (size + 3) & ~3;
            }
        }

        onDestroyed(isComplete ? ports : null);
    }
}
