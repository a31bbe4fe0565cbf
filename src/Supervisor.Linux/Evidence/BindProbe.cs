using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Asks the kernel whether an address can be bound: binds it as a listener would (<see cref="ListenerPlan"/>) and closes the
/// socket at once. It leaves nothing behind.
/// </summary>
/// <remarks>
/// <para>
/// It never listens. listen() asks for the port by the same rules as bind() just did (net/ipv4/inet_connection_sock.c,
/// inet_csk_listen_start), so it shows nothing more. A listening probe that shares the port by SO_REUSEPORT would get
/// connections and lose them. A bound TCP socket gets no traffic.
/// </para>
/// <para>
/// A UDP socket receives from bind() on. If a UDP address is shared, the probe may get datagrams within those few microseconds,
/// and they are lost. The kernel offers no other way.
/// </para>
/// <para>A UNIX path is never bound, because that makes a file: <see cref="UnixPath"/> predicts the answer.</para>
/// </remarks>
internal static class BindProbe
{
    /// <summary>The refused call; null if the bind succeeds. <paramref name="domain"/> is the family that decided.</summary>
    public static SystemCallFailure? Ask(ListenerSpec spec, out SocketDomain domain)
    {
        SystemCallFailure? failure = null;
        var domains = ListenerPlan.Domains(spec.Address);
        domain = domains[0];
        foreach (var candidate in domains)
        {
            domain = candidate;
            failure = Ask(ListenerPlan.For(spec, candidate));

            // As ListenerFactory.Create: "*" falls back to IPv4 only if there is no IPv6.
            if (failure is null || failure.Errno is not (EAFNOSUPPORT or EADDRNOTAVAIL))
            {
                break;
            }
        }

        return failure;
    }

    /// <summary>The number of the interface that the socket is bound to, by device or scope; 0: none.</summary>
    public static uint Device(ListenerSpec spec) =>
        BindRequest.Device(spec, static name => NetworkInterfaces.Index(name) ?? 0);

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
