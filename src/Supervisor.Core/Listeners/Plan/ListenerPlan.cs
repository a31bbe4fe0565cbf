using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.Plan;

/// <summary>
/// The calls that make a listener, in the only correct order: socket, what bind() reads, bind, what listen() and accepted
/// connections read, listen. The plan is pure; <c>ListenerFactory</c> carries it out and records each call.
/// </summary>
/// <remarks>
/// The order matters. bind() uses SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY and the device as they are at that moment
/// (net/ipv4/inet_connection_sock.c, inet_csk_get_port). A UNIX socket's file gets its mode inside bind() (net/unix/af_unix.c,
/// unix_bind_bsd). A SYN can arrive as soon as listen() returns, and fixes the window scale, which depends on the receive
/// buffer. An accepted connection copies the listener's present values.
/// </remarks>
public sealed record ListenerPlan
{
    private static readonly ImmutableArray<SocketDomain> OnlyUnix = [SocketDomain.Unix];
    private static readonly ImmutableArray<SocketDomain> OnlyVsock = [SocketDomain.Vsock];
    private static readonly ImmutableArray<SocketDomain> OnlyNetlink = [SocketDomain.Netlink];
    private static readonly ImmutableArray<SocketDomain> NoDomain = [SocketDomain.None];
    private static readonly ImmutableArray<SocketDomain> OnlyIPv6 = [SocketDomain.IPv6];
    private static readonly ImmutableArray<SocketDomain> OnlyIPv4 = [SocketDomain.IPv4];
    private static readonly ImmutableArray<SocketDomain> BothFamilies = [SocketDomain.IPv6, SocketDomain.IPv4];

    private static readonly PlanStep[] Nothing = [];

    private ListenerPlan(ListenerSpec spec, SocketDomain domain, ListenAddress address, ImmutableArray<PlanStep> steps)
    {
        Spec = spec;
        Domain = domain;
        Address = address;
        Steps = steps;
    }

    /// <summary>The specification.</summary>
    public ListenerSpec Spec { get; }

    /// <summary>The family of the socket.</summary>
    public SocketDomain Domain { get; }

    /// <summary>The address for bind(): a <c>*</c> is replaced by the wildcard of <see cref="Domain"/>.</summary>
    public ListenAddress Address { get; }

    /// <summary>The calls.</summary>
    public ImmutableArray<PlanStep> Steps { get; }

    /// <summary>The families to try, in order: two for <c>*</c>, otherwise one.</summary>
    public static ImmutableArray<SocketDomain> Domains(ListenAddress address) => address.Kind switch
    {
        ListenerKind.UnixStream or ListenerKind.UnixDatagram or ListenerKind.UnixSeqpacket => OnlyUnix,
        ListenerKind.Vsock => OnlyVsock,
        ListenerKind.Netlink => OnlyNetlink,
        { } kind when !kind.IsSocket() => NoDomain,
        _ when address.IsAnyFamily => BothFamilies,
        _ => address.Host!.AddressFamily == AddressFamily.InterNetworkV6 ? OnlyIPv6 : OnlyIPv4,
    };

    /// <summary>The plan for one family of <see cref="Domains"/>, in the order of the calls.</summary>
    public static ListenerPlan For(ListenerSpec spec, SocketDomain domain)
    {
        var address = spec.Address.IsAnyFamily
            ? ListenAddress.Internet(
                spec.Address.Kind, domain == SocketDomain.IPv6 ? IPAddress.IPv6Any : IPAddress.Any, (int)spec.Address.Port)
            : spec.Address;
        if (!spec.Address.Kind.IsSocket())
        {
            return new ListenerPlan(spec, domain, address, [new OpenStep()]);
        }

        var options = Options(spec, domain).ToArray();
        return new ListenerPlan(spec, domain, address,
        [
            Creation(spec, domain),
            .. options.Where(option => option.Phase == HandlePhase.PreBind),
            .. SocketFileBeforeBind(spec),
            new BindStep(address),
            .. SocketFileAfterBind(spec),
            .. options.Where(option => option.Phase == HandlePhase.PreListen),
            .. spec.Datagram.Multicast.Select(membership => new JoinGroupStep(membership)),
            .. spec.Address.Kind.Listens() ? [new ListenStep(spec.Listen.Backlog)] : Nothing,
            .. options.Where(option => option.Phase == HandlePhase.PostListen),
        ]);
    }

    /// <summary>
    /// The same plan, with the steps of <paramref name="previous"/> if its listener differs only in name and address. Most of
    /// thousands of listeners do. Justified by the benchmark <c>listeners-10000</c> (tests/Bench/ListenersBenchmark): 1.6 instead
    /// of 2.2 times C.
    /// </summary>
    public static ListenerPlan For(ListenerSpec spec, SocketDomain domain, ListenerPlan? previous)
    {
        // An IPv4 address affects only bind(). An IPv6 address also affects options, and a path affects several steps.
        if (previous is null || domain != SocketDomain.IPv4 || previous.Domain != domain || spec.Address.IsAnyFamily
            || !HasSameOptions(spec, previous.Spec))
        {
            return For(spec, domain);
        }

        var steps = previous.Steps.ToArray();
        steps[Array.FindIndex(steps, static step => step is BindStep)] = new BindStep(spec.Address);
        return new ListenerPlan(spec, domain, spec.Address, ImmutableCollectionsMarshal.AsImmutableArray(steps));
    }

    private static bool HasSameOptions(ListenerSpec one, ListenerSpec other) =>
        one.Address.Kind == other.Address.Kind && one.Shards == other.Shards
        && one.NetworkNamespace == other.NetworkNamespace
        && ReferenceEquals(one.Bind, other.Bind) && ReferenceEquals(one.Buffers, other.Buffers)
        && ReferenceEquals(one.Listen, other.Listen) && ReferenceEquals(one.Accepted, other.Accepted)
        && ReferenceEquals(one.Datagram, other.Datagram)
        && one.Options == other.Options;

    /// <summary>The call that makes a socket of the listener.</summary>
    public static CreateStep Creation(ListenerSpec spec, SocketDomain domain) =>
        new(spec.Address.Kind, domain, spec.Listen.NonBlocking)
        {
            NetworkNamespace = spec.NetworkNamespace,
            Protocol = spec.Address.Family,
        };

    /// <summary>The options that the specification sets on a socket of this family, in the order of the calls.</summary>
    public static IEnumerable<SetOptionStep> Options(ListenerSpec spec, SocketDomain domain)
    {
        foreach (var option in SocketOptions.All.Where(option => option.AppliesTo(spec.Address.Kind, domain)))
        {
            if (option.ValueIn(spec, domain) is { } value)
            {
                yield return new SetOptionStep(option, value)
                {
                    Fallback = option.Fallback is { } other
                    ? new SetOptionStep(other, value)
                    : null
                };
            }
        }

        foreach (var custom in spec.Address.Kind.IsSocket() ? spec.Options : [])
        {
            if (custom.Row() is { } row)
            {
                yield return new SetOptionStep(row, custom.Value());
            }
        }
    }

    private static PlanStep[] SocketFileBeforeBind(ListenerSpec spec) =>
        spec.Address.IsFile && spec.Unix.Mode is { } mode ? [new SocketModeStep(mode)] : Nothing;

    private static IEnumerable<PlanStep> SocketFileAfterBind(ListenerSpec spec)
    {
        if (spec.Address.IsFile && (spec.Unix.User ?? spec.Unix.Group) is not null)
        {
            yield return new PathOwnerStep(spec.Address.Path!, spec.Unix.User, spec.Unix.Group);
        }

        if (spec.Address.IsFile && spec.Unix.Mode is { } mode)
        {
            yield return new PathModeStep(spec.Address.Path!, mode);
        }
    }
}
