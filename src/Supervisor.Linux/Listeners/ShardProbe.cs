using System.Net;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Tests whether this kernel supports shards, on a loopback port of its own. Two sockets share an address by SO_REUSEPORT
/// (Linux 3.9). A program chooses between them (SO_ATTACH_REUSEPORT_CBPF, Linux 4.5). A waiting connection survives the close
/// of one of two descriptors of its socket.
/// </summary>
public static class ShardProbe
{
    /// <summary>Why shards are not supported; null if they are.</summary>
    public static string? WhyNot(ListenerKind kind)
    {
        if (!kind.IsInternet())
        {
            return $"SO_REUSEPORT supports only IPv4 and IPv6 sockets, not {kind.Scheme()}://";
        }

        var spec = new ListenerSpec { Name = "probe", Address = ListenAddress.Internet(kind, IPAddress.Loopback, 0), Shards = 2 };
        using var first = Open(spec, out var refused);
        if (first is null || Name(first, kind) is not { } address)
        {
            return refused ?? "getsockname of a loopback socket failed";
        }

        using var second = Open(spec with { Address = address }, out refused);
        if (second is null)
        {
            return refused;
        }

        foreach (var socket in new[] { first, second })
        {
            if (kind.Listens() && Sockets.Listen(socket, 16) is { } listenRefused)
            {
                return listenRefused.ToString();
            }
        }

        // Selects only the second socket of the group, by order of listen(), or of bind() for datagrams.
        if (ShardSelection.Select(first, kind, [1]) is { } selectRefused)
        {
            return $"SO_ATTACH_REUSEPORT_CBPF: {selectRefused}";
        }

        return kind.Listens() ? Connects(address, first, second) : null;
    }

    private static string? Connects(ListenAddress address, DescriptorHandle first, DescriptorHandle second)
    {
        using var client = ListenerSockets.Open(new CreateStep(ListenerKind.Tcp, SocketDomain.IPv4, NonBlocking: false), out var refused);
        if (client is null)
        {
            return refused!.ToString();
        }

        if (Sockets.Connect(client, Sockaddr.Encode(address)!) is { } connectRefused)
        {
            return $"connecting to a probe on {address}: {connectRefused}";
        }

        Files.GetStatus(second, out var status);
        var left = AcceptQueue.Read(first, address.Kind, 0)?.Length;
        var chosen = AcceptQueue.Read(second, address.Kind, status.Inode)?.Length;
        if ((left, chosen) is not (0, 1))
        {
            return $"SO_ATTACH_REUSEPORT_CBPF has no effect: {left} and {chosen} connections instead of 0 and 1";
        }

        using (Descriptors.Duplicate(second, out _))
        {
        }

        return AcceptQueue.Read(second, address.Kind, status.Inode)?.Length == 1 && !Polling.IsHungUp(client)
            ? null
            : "a waiting connection was lost when one of two descriptors of its socket was closed";
    }

    private static DescriptorHandle? Open(ListenerSpec spec, out string? refused)
    {
        DescriptorHandle? socket = null;
        refused = null;
        foreach (var step in ListenerPlan.For(spec, SocketDomain.IPv4).Steps)
        {
            switch (step)
            {
                case CreateStep create:
                    socket = ListenerSockets.Open(create, out var failure);
                    refused = failure?.ToString();
                    break;
                case SetOptionStep set when socket is not null:
                    refused = OptionAccess.Set(socket, set.Option, set.Value) is { } error ? $"{set.Option.Name}: {error}" : null;
                    break;
                case BindStep bind when socket is not null:
                    refused = Sockets.Bind(socket, Sockaddr.Encode(bind.Address)!)?.ToString();
                    break;
            }

            if (refused is not null)
            {
                socket?.Dispose();
                return null;
            }
        }

        return socket;
    }

    private static ListenAddress? Name(DescriptorHandle socket, ListenerKind kind)
    {
        Span<byte> raw = stackalloc byte[Sockaddr.MaxLength];
        return Sockets.GetSocketName(socket, raw, out var length) is null ? Sockaddr.Decode(kind, raw[..length]) : null;
    }
}
