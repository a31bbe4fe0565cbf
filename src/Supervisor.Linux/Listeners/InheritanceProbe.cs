using System.Net;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Tests whether this kernel passes the <c>accepted</c> settings of a listener on. It sets them on a loopback listener of the
/// same family, and reads them from a connection accepted there. The catalogue (<see cref="SocketOption.InheritanceOn"/>) has
/// what the tests found; this asks the running kernel.
/// </summary>
public static class InheritanceProbe
{
    /// <summary>
    /// The settings that the connection does not inherit, with its values. A setting that the kernel rejects on the listener is
    /// not included: that is reported when the listener is made. Empty if there is no loopback of that family.
    /// </summary>
    public static IReadOnlyList<(SocketOption Option, OptionValue? Listener, OptionValue? Connection)> Ask(ListenerSpec spec)
    {
        var kind = spec.Address.Kind;
        var domain = ListenerPlan.Domains(spec.Address)[0];
        var steps = ListenerPlan.Options(spec, domain)
            .Where(step => step.Option.Setting.StartsWith("accepted.", StringComparison.Ordinal))
            .ToArray();
        if (!kind.SpeaksTcp() || steps.Length == 0)
        {
            return [];
        }

        var loopback = ListenAddress.Internet(kind, domain == SocketDomain.IPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, 0);
        using var listener = ListenerSockets.Open(new CreateStep(kind, domain, NonBlocking: false), out _);
        using var client = ListenerSockets.Open(new CreateStep(kind, domain, NonBlocking: false), out _);
        if (listener is null || client is null)
        {
            return [];
        }

        var set = steps.Where(step => OptionAccess.Set(listener, step.Option, step.Value) is null).ToArray();
        Span<byte> raw = stackalloc byte[Sockaddr.MaxLength];
        if (Sockets.Bind(listener, Sockaddr.Encode(loopback)!) is not null || Sockets.Listen(listener, 1) is not null
            || Sockets.GetSocketName(listener, raw, out var length) is not null || Sockets.Connect(client, raw[..length]) is not null)
        {
            return [];
        }

        using var connection = Sockets.Accept(listener, out _);
        return connection is null
            ? []
            : [
                .. set
                    .Select(step => (
                        step.Option,
                        Listener: OptionAccess.Get(listener, step.Option),
                        Connection: OptionAccess.Get(connection, step.Option)))
                    .Where(row => row.Listener != row.Connection),
            ];
    }
}
