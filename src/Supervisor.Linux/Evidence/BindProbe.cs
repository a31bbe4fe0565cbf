using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Asks the kernel whether an address can be bound, by binding it as a listener would (<see cref="ListenerPlan"/>) and
/// closing at once. Nothing is left behind.
/// </summary>
/// <remarks>
/// <para>
/// It never listens: listen() asks for the port by the same rules as bind() did a moment before (net/ipv4/
/// inet_connection_sock.c, inet_csk_listen_start), so it cannot say more, and a listening probe that shares the port by
/// SO_REUSEPORT would be given connections to lose. A bound TCP socket takes part in nothing.
/// </para>
/// <para>
/// A UDP socket receives from bind() on. Where a UDP address is to be shared, datagrams that arrive within those few
/// microseconds may go to the probe and be lost; the kernel offers no other way to ask.
/// </para>
/// <para>A UNIX path is never bound, since that makes a file: <see cref="UnixPath"/> predicts the answer.</para>
/// </remarks>
internal static class BindProbe
{
    /// <summary>The refused call; null where the kernel agrees. <paramref name="domain"/> is the family that decided.</summary>
    public static SystemCallFailure? Ask(ListenerSpec spec, out SocketDomain domain)
    {
        SystemCallFailure? failure = null;
        var domains = ListenerPlan.Domains(spec.Address);
        domain = domains[0];
        foreach (var candidate in domains)
        {
            domain = candidate;
            failure = Ask(ListenerPlan.For(spec, candidate));

            // As ListenerFactory.Create: "*" goes on to IPv4 only where there is no IPv6.
            if (failure is null || failure.Errno is not (EAFNOSUPPORT or EADDRNOTAVAIL))
            {
                break;
            }
        }

        return failure;
    }

    /// <summary>The number of the interface that the socket is bound to, by device or scope; 0: none.</summary>
    public static uint Device(ListenerSpec spec) =>
        (spec.Bind.Device ?? spec.Address.Scope) is { } name ? NetworkInterfaces.Index(name) ?? 0 : 0;

    private static SystemCallFailure? Ask(ListenerPlan plan)
    {
        DescriptorHandle? socket = null;
        try
        {
            foreach (var step in plan.Steps)
            {
                switch (step)
                {
                    case CreateStep create:
                        socket = ListenerSockets.Open(create, out var refused);
                        if (socket is null)
                        {
                            return refused;
                        }

                        break;
                    case SetOptionStep { Option.AffectsBindOwnership: true } set:
                        if (OptionAccess.Set(socket!, set.Option, set.Value) is { } error)
                        {
                            return error.With($"{set.Option.LevelName}, {set.Option.Name}, {set.Value}");
                        }

                        break;
                    case BindStep bind:
                        return Bind(socket!, bind.Address);
                }
            }

            return null;
        }
        finally
        {
            socket?.Dispose();
        }
    }

    private static SystemCallFailure? Bind(DescriptorHandle socket, ListenAddress address)
    {
        uint scope = 0;
        if (address.Scope is { } name)
        {
            if (NetworkInterfaces.Index(name) is not { } index)
            {
                return new SystemCallError("bind", ENODEV).With(address.ToString());
            }

            scope = index;
        }

        return Sockaddr.Encode(address, scope) is { } raw
            ? Sockets.Bind(socket, raw)?.With(address.ToString())
            : new SystemCallError("bind", ENAMETOOLONG).With(address.ToString());
    }
}
