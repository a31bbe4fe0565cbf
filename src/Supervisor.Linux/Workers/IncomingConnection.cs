using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Supervisor.Core.Listeners;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Workers;

/// <summary>A connection that the daemon has accepted, until a process has it. The owner closes the descriptor.</summary>
/// <param name="Listener">The listener.</param>
/// <param name="Descriptor">The connected socket: blocking, close-on-exec.</param>
/// <param name="Peer">Who connected.</param>
internal sealed record IncomingConnection(ListenerHandle Listener, DescriptorHandle Descriptor, WorkerConnection Peer)
{
    /// <summary>SO_COOKIE, asm-generic/socket.h.</summary>
    private const int SoCookie = 57;

    /// <summary>The name of a connection in LISTEN_FDNAMES, as of FileDescriptorName= with Accept=yes; systemd.socket(5).</summary>
    private const string Name = "connection";

    /// <summary>The connection in place of a listener, for the hand-off.</summary>
    public HandedListener Handed => new(Name, Listener.Spec.Address.Kind, Listener.Domain, Listener.Effective);

    /// <summary>Takes over the descriptor of an accepted connection.</summary>
    public static IncomingConnection Of(ListenerHandle listener, DescriptorHandle descriptor)
    {
        Span<byte> raw = stackalloc byte[Sockaddr.MaxLength];
        var length = Sockets.GetPeerName(descriptor, raw, out var known) is null ? known : 0;
        var kind = listener.Spec.Address.Kind;
        var peer = Sockaddr.Decode(kind, raw[..length]);
        Span<byte> cookie = stackalloc byte[sizeof(ulong)];
        var hasCookie = Sockets.GetBytes(descriptor, SOL_SOCKET, SoCookie, cookie, out var size) is null && size == sizeof(ulong);
        var address = peer is null ? null : Text(peer);
        return new IncomingConnection(listener, descriptor, new WorkerConnection(
            listener.Name,
            SourceOf(descriptor, peer) ?? address ?? "unknown",
            address,
            peer is { Host: not null } or { Kind: ListenerKind.Vsock } ? peer.Port : null,
            hasCookie ? BinaryPrimitives.ReadUInt64LittleEndian(cookie) : 0));
    }

    /// <summary>The address as systemd has it in REMOTE_ADDR: without the port, and IPv4 for a mapped address.</summary>
    private static string Text(ListenAddress peer) => peer switch
    {
        { Host: { } host } => (host.IsIPv4MappedToIPv6 ? host.MapToIPv4() : new IPAddress(host.GetAddressBytes()))
            + (peer.Scope is { } scope ? "%" + scope : ""),
        { Kind: ListenerKind.Vsock } => string.Create(CultureInfo.InvariantCulture, $"vsock:{peer.Cid}"),
        _ => (peer.IsAbstract ? "@" : "") + peer.Path,
    };

    /// <summary>Whose connection it is, for the limit of each source: the user of a local peer; null: its address.</summary>
    private static string? SourceOf(DescriptorHandle descriptor, ListenAddress? peer)
    {
        if (peer is { Host: not null } or { Kind: ListenerKind.Vsock })
        {
            return null;
        }

        return Sockets.GetPeerCredentials(descriptor, out _, out var uid, out _) is null
            ? string.Create(CultureInfo.InvariantCulture, $"uid {uid}")
            : null;
    }
}
