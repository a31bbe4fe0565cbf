using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.Plan;

/// <summary>
/// The calls that make a listener, in the one right order: socket, what bind() reads, bind, what listen() and accepted
/// connections read, listen. The plan is pure; <c>ListenerFactory</c> carries it out and writes each call down.
/// </summary>
/// <remarks>
/// Why the order matters: bind() looks at SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY and the device as they are at that
/// moment (net/ipv4/inet_connection_sock.c, inet_csk_get_port); a UNIX socket's file gets its mode inside bind()
/// (net/unix/af_unix.c, unix_bind_bsd); the window scale that a receive buffer decides is fixed by the SYN that may
/// arrive as soon as listen() returns; and an accepted connection copies the listener as it is at that moment.
/// </remarks>
public sealed record ListenerPlan
{
    private static readonly ImmutableArray<SocketDomain> OnlyUnix = [SocketDomain.Unix];
    private static readonly ImmutableArray<SocketDomain> OnlyVsock = [SocketDomain.Vsock];
    private static readonly ImmutableArray<SocketDomain> OnlyIPv6 = [SocketDomain.IPv6];
    private static readonly ImmutableArray<SocketDomain> OnlyIPv4 = [SocketDomain.IPv4];
    private static readonly ImmutableArray<SocketDomain> BothFamilies = [SocketDomain.IPv6, SocketDomain.IPv4];

    private ListenerPlan(ListenerSpec spec, SocketDomain domain, ListenAddress address, ImmutableArray<PlanStep> steps)
    {
        Spec = spec;
        Domain = domain;
        Address = address;
        Steps = steps;
    }

    /// <summary>What was asked for.</summary>
    public ListenerSpec Spec { get; }

    /// <summary>The family of the socket.</summary>
    public SocketDomain Domain { get; }

    /// <summary>The address that bind() gets: <c>*</c> has become a wildcard of <see cref="Domain"/>.</summary>
    public ListenAddress Address { get; }

    /// <summary>The calls.</summary>
    public ImmutableArray<PlanStep> Steps { get; }

    /// <summary>The families to try, in order: two for <c>*</c>, otherwise one.</summary>
    public static ImmutableArray<SocketDomain> Domains(ListenAddress address) => address.Kind switch
    {
        ListenerKind.UnixStream or ListenerKind.UnixDatagram or ListenerKind.UnixSeqpacket => OnlyUnix,
        ListenerKind.Vsock => OnlyVsock,
        _ when address.IsAnyFamily => BothFamilies,
        _ => address.Host!.AddressFamily == AddressFamily.InterNetworkV6 ? OnlyIPv6 : OnlyIPv4,
    };

    /// <summary>The plan for one family of <see cref="Domains"/>.</summary>
    public static ListenerPlan For(ListenerSpec spec, SocketDomain domain)
    {
        var address = spec.Address.IsAnyFamily
            ? ListenAddress.Internet(spec.Address.Kind, domain == SocketDomain.IPv6 ? IPAddress.IPv6Any : IPAddress.Any, (int)spec.Address.Port)
            : spec.Address;
        const int usual = 4;
        var steps = ImmutableArray.CreateBuilder<PlanStep>(usual);
        steps.Add(new CreateStep(spec.Address.Kind, domain, spec.Listen.NonBlocking));
        List<SetOptionStep>? later = null;
        foreach (var option in Options(spec, domain))
        {
            if (option.Phase == HandlePhase.PreBind)
            {
                steps.Add(option);
            }
            else
            {
                (later ??= []).Add(option);
            }
        }

        var pathMode = spec.Address.Kind.IsUnix() && !spec.Address.IsAbstract ? spec.Unix.Mode : null;
        if (pathMode is { } mode)
        {
            steps.Add(new SocketModeStep(mode));
        }

        steps.Add(new BindStep(address));
        if (spec.Address.Kind.IsUnix() && !spec.Address.IsAbstract && (spec.Unix.User ?? spec.Unix.Group) is not null)
        {
            steps.Add(new PathOwnerStep(address.Path!, spec.Unix.User, spec.Unix.Group));
        }

        if (pathMode is { } wanted)
        {
            steps.Add(new PathModeStep(address.Path!, wanted));
        }

        steps.AddRange(later ?? []);
        foreach (var membership in spec.Datagram.Multicast)
        {
            steps.Add(new JoinGroupStep(membership));
        }

        if (spec.Address.Kind.Listens())
        {
            steps.Add(new ListenStep(spec.Listen.Backlog));
        }

        return new ListenerPlan(spec, domain, address, steps.DrainToImmutable());
    }

    /// <summary>
    /// The same plan; where <paramref name="like"/> is the one of a listener that differs in name and address alone, its calls
    /// are taken over, as most of thousands are alike.
    /// </summary>
    public static ListenerPlan For(ListenerSpec spec, SocketDomain domain, ListenerPlan? like)
    {
        // An IPv4 address decides about no other call; an IPv6 one can (CarriesIPv4), a path stands in more than one.
        if (like is null || domain != SocketDomain.IPv4 || like.Domain != domain || spec.Address.IsAnyFamily
            || spec.Address.Kind != like.Spec.Address.Kind || spec.Shards != like.Spec.Shards
            || !ReferenceEquals(spec.Bind, like.Spec.Bind) || !ReferenceEquals(spec.Buffers, like.Spec.Buffers)
            || !ReferenceEquals(spec.Listen, like.Spec.Listen) || !ReferenceEquals(spec.Accepted, like.Spec.Accepted)
            || !ReferenceEquals(spec.Datagram, like.Spec.Datagram))
        {
            return For(spec, domain);
        }

        var steps = like.Steps.ToArray();
        steps[Array.FindIndex(steps, static step => step is BindStep)] = new BindStep(spec.Address);
        return new ListenerPlan(spec, domain, spec.Address, ImmutableCollectionsMarshal.AsImmutableArray(steps));
    }

    /// <summary>The options that the spec asks for on a socket of this family, in the order in which they are set.</summary>
    public static IEnumerable<SetOptionStep> Options(ListenerSpec spec, SocketDomain domain)
    {
        var kind = spec.Address.Kind;
        var (bind, buffers, listen, accepted, datagram) = (spec.Bind, spec.Buffers, spec.Listen, spec.Accepted, spec.Datagram);

        if (bind.ReuseAddress ?? kind.SpeaksTcp())
        {
            yield return new(SocketOptions.ReuseAddress, OptionValue.Of(true));
        }

        if (bind.ReusePort || spec.Shards > 1)
        {
            yield return new(SocketOptions.ReusePort, OptionValue.Of(true));
        }

        if (domain == SocketDomain.IPv6)
        {
            // Always: net.ipv6.bindv6only is the host's default, and the configuration has one of its own.
            yield return new(SocketOptions.V6Only, OptionValue.Of(bind.IPv6Only));
        }

        if (bind.FreeBind)
        {
            yield return new(SocketOptions.FreeBind, OptionValue.Of(true));
        }

        if (bind.Transparent)
        {
            yield return new(SocketOptions.Transparent, OptionValue.Of(true));
        }

        if (bind.Device is { } device)
        {
            yield return new(SocketOptions.BindToDevice, OptionValue.Of(device));
        }

        if (bind.Mark is { } mark)
        {
            yield return new(SocketOptions.Mark, OptionValue.Of(mark));
        }

        if (kind.IsUnix() && spec.Unix.PassCredentials is { } credentials)
        {
            yield return new(SocketOptions.PassCredentials, OptionValue.Of(credentials));
        }

        if (buffers.Receive is { } receive)
        {
            yield return Buffer(SocketOptions.ReceiveBuffer, SocketOptions.ReceiveBufferForce, receive, buffers.Force);
        }

        if (buffers.Send is { } send)
        {
            yield return Buffer(SocketOptions.SendBuffer, SocketOptions.SendBufferForce, send, buffers.Force);
        }

        if (kind.SpeaksTcp())
        {
            if (listen.DeferAccept is { } defer)
            {
                yield return new(SocketOptions.DeferAccept, Seconds(defer));
            }

            if (listen.FastOpen is { } fastOpen)
            {
                yield return new(SocketOptions.FastOpen, OptionValue.Of(fastOpen));
            }

            if (accepted.NoDelay is { } noDelay)
            {
                yield return new(SocketOptions.NoDelay, OptionValue.Of(noDelay));
            }

            if (accepted.KeepAlive is { } keepAlive)
            {
                yield return new(SocketOptions.KeepAlive, OptionValue.Of(keepAlive));
            }

            if (accepted.KeepAliveIdle is { } idle)
            {
                yield return new(SocketOptions.KeepAliveIdle, Seconds(idle));
            }

            if (accepted.KeepAliveInterval is { } interval)
            {
                yield return new(SocketOptions.KeepAliveInterval, Seconds(interval));
            }

            if (accepted.KeepAliveProbes is { } probes)
            {
                yield return new(SocketOptions.KeepAliveProbes, OptionValue.Of(probes));
            }

            if (accepted.UserTimeout is { } userTimeout)
            {
                yield return new(SocketOptions.UserTimeout, OptionValue.Of((long)userTimeout.TotalMilliseconds));
            }

            if (accepted.Linger is { } linger)
            {
                yield return new(SocketOptions.Linger, Seconds(linger));
            }

            if (accepted.NotSentLowWater is { } lowWater)
            {
                yield return new(SocketOptions.NotSentLowWater, OptionValue.Of(lowWater));
            }

            if (accepted.Congestion is { } congestion)
            {
                yield return new(SocketOptions.Congestion, OptionValue.Of(congestion));
            }

            if (accepted.TypeOfService is { } tos)
            {
                if (CarriesIPv4(spec, domain))
                {
                    yield return new(SocketOptions.TypeOfService, OptionValue.Of(tos));
                }

                if (domain == SocketDomain.IPv6)
                {
                    yield return new(SocketOptions.TrafficClass, OptionValue.Of(tos));
                }
            }

            if (accepted.TimeToLive is { } ttl)
            {
                if (CarriesIPv4(spec, domain))
                {
                    yield return new(SocketOptions.TimeToLive, OptionValue.Of(ttl));
                }

                if (domain == SocketDomain.IPv6)
                {
                    yield return new(SocketOptions.HopLimit, OptionValue.Of(ttl));
                }
            }
        }

        if (kind == ListenerKind.Udp)
        {
            if (datagram.Broadcast is { } broadcast)
            {
                yield return new(SocketOptions.Broadcast, OptionValue.Of(broadcast));
            }

            if (datagram.PacketInfo is { } packetInfo)
            {
                if (CarriesIPv4(spec, domain))
                {
                    yield return new(SocketOptions.PacketInfo, OptionValue.Of(packetInfo));
                }

                if (domain == SocketDomain.IPv6)
                {
                    yield return new(SocketOptions.ReceivePacketInfo6, OptionValue.Of(packetInfo));
                }
            }
        }
    }

    private static SetOptionStep Buffer(SocketOption plain, SocketOption force, int bytes, bool isForced) => isForced
        ? new(force, OptionValue.Of(bytes)) { Fallback = new(plain, OptionValue.Of(bytes)) }
        : new(plain, OptionValue.Of(bytes));

    private static OptionValue Seconds(TimeSpan duration) => OptionValue.Of((long)duration.TotalSeconds);

    /// <summary>Whether IPv4 traffic arrives on the socket: IPv4, or a [::] that is dual-stack, or a mapped address.</summary>
    private static bool CarriesIPv4(ListenerSpec spec, SocketDomain domain) => domain == SocketDomain.IPv4
        || (domain == SocketDomain.IPv6 && !spec.Bind.IPv6Only && (spec.Address.IsWildcard || spec.Address.Host!.IsIPv4MappedToIPv6));
}
