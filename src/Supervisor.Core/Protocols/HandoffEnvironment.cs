using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Core.Protocols;

/// <summary>A listener to hand to a worker.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Domain">Its family.</param>
/// <param name="Effective">Its address.</param>
public sealed record HandedListener(string Name, ListenerKind Kind, SocketDomain Domain, ListenAddress? Effective);

/// <summary>
/// The variables that a hand-off protocol adds to a worker's environment, and the numbers of its descriptors. The spawn fills
/// in the child's process id, which some protocols need.
/// </summary>
/// <param name="Variables">Names and values.</param>
/// <param name="PidVariables">Variables whose value is the child's process id.</param>
/// <param name="FirstDescriptor">The first listener's descriptor; null if none is passed.</param>
/// <param name="FirstStored">The first descriptor that the worker's predecessor stored; null if none is passed.</param>
public sealed record HandoffEnvironment(
    ImmutableArray<KeyValuePair<string, string>> Variables,
    ImmutableArray<string> PidVariables,
    int? FirstDescriptor,
    int? FirstStored = null)
{
    /// <summary>SD_LISTEN_FDS_START, sd_listen_fds(3).</summary>
    public const int ListenFdsStart = 3;

    /// <summary>
    /// The environment for these listeners, in descriptor order, from the daemon <paramref name="daemonPid"/>. In LISTEN_FDS
    /// the descriptors that a predecessor stored follow the listeners, by name. For a protocol that passes listeners in another
    /// way, LISTEN_FDS has only the stored descriptors.
    /// </summary>
    public static HandoffEnvironment For(
        HandoffKind kind, IReadOnlyList<HandedListener> listeners, int generation, int daemonPid, IReadOnlyList<string>? stored = null)
    {
        stored ??= [];
        return kind switch
        {
            HandoffKind.ListenFds => ListenFds([.. listeners.Select(listener => listener.Name)], stored) with
            {
                FirstDescriptor = listeners.Count == 0 ? null : ListenFdsStart,
            },
            HandoffKind.None => ListenFds([], stored),
            HandoffKind.ScmRights => WithNames(ListenFds([], stored), listeners),
            HandoffKind.Stdin => ListenFds([], stored) with { FirstDescriptor = 0 },
            HandoffKind.Nginx => Passed([new("NGINX", string.Concat(Numbers(listeners).Select(number => number + ";")))]),
            HandoffKind.Gunicorn => Passed(
                [new("GUNICORN_FD", string.Join(',', Numbers(listeners))), new("GUNICORN_PID", Text(daemonPid))]),
            HandoffKind.ServerStarter => Passed(
            [
                new(
                    "SERVER_STARTER_PORT",
                    string.Join(';', listeners.Select((listener, i) => $"{ServerStarterName(listener)}={Number(i)}"))),
                new("SERVER_STARTER_GENERATION", Text(generation)),
            ]),
            HandoffKind.Einhorn => Passed(
            [
                new("EINHORN_MASTER_PID", Text(daemonPid)),
                new("EINHORN_FD_COUNT", Text(listeners.Count)),
                .. listeners.Select((_, i) => new KeyValuePair<string, string>($"EINHORN_FD_{i}", Number(i))),
                .. listeners.Select((listener, i) => new KeyValuePair<string, string>($"EINHORN_FD_FAMILY_{i}", Family(listener.Domain))),
            ]),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
    }

    /// <summary>Whether workers with that protocol can get stored descriptors back.</summary>
    public static bool PassesStored(HandoffKind kind) => kind switch
    {
        HandoffKind.ListenFds or HandoffKind.None or HandoffKind.ScmRights or HandoffKind.Stdin => true,
        HandoffKind.Nginx or HandoffKind.Gunicorn or HandoffKind.ServerStarter or HandoffKind.Einhorn => false,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>
    /// Whether a protocol can pass a listener of that kind. Programs of nginx, gunicorn, Server::Starter and Einhorn ask each descriptor
    /// for its address and accept or receive at it (nginx: ngx_set_inherited_sockets; gunicorn: sock.py, create_sockets).
    /// </summary>
    public static bool CanPass(HandoffKind handoff, ListenerKind kind) => handoff switch
    {
        HandoffKind.ListenFds or HandoffKind.None or HandoffKind.ScmRights or HandoffKind.Stdin => true,
        HandoffKind.Nginx or HandoffKind.Gunicorn or HandoffKind.ServerStarter or HandoffKind.Einhorn =>
            kind.IsSocket() && kind != ListenerKind.Netlink,
        _ => throw new ArgumentOutOfRangeException(nameof(handoff)),
    };

    private static HandoffEnvironment ListenFds(IReadOnlyList<string> listeners, IReadOnlyList<string> stored) =>
        listeners.Count + stored.Count == 0
        ? new([], [], null)
        : new(
            [
                new("LISTEN_FDS", (listeners.Count + stored.Count).ToString(CultureInfo.InvariantCulture)),
                new("LISTEN_FDNAMES", string.Join(':', listeners.Concat(stored))),
            ],
            ["LISTEN_PID"],
            null,
            stored.Count == 0 ? null : ListenFdsStart + listeners.Count);

    /// <summary>The listeners that the worker may take from the broker at LISTEND_BROKER; the spawn passes no descriptor.</summary>
    private static HandoffEnvironment WithNames(HandoffEnvironment environment, IReadOnlyList<HandedListener> listeners)
    {
        if (listeners.Count == 0)
        {
            return environment;
        }

        var names = string.Join(':', listeners.Select(listener => listener.Name));
        return environment with { Variables = environment.Variables.Add(new("LISTEND_LISTENERS", names)) };
    }

    private static HandoffEnvironment Passed(ImmutableArray<KeyValuePair<string, string>> variables) => new(variables, [], ListenFdsStart);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<string> Numbers(IReadOnlyList<HandedListener> listeners) => listeners.Select((_, i) => Number(i));

    private static string Number(int index) => (ListenFdsStart + index).ToString(CultureInfo.InvariantCulture);

    private static string ServerStarterName(HandedListener listener) => listener.Effective switch
    {
        null => listener.Name,
        { Path: { } path } => path,
        { Host: { } host } address => address.IsWildcard && listener.Domain == SocketDomain.IPv4
            ? address.Port.ToString(CultureInfo.InvariantCulture)
            : $"{(listener.Domain == SocketDomain.IPv6 ? $"[{host}]" : host.ToString())}:{address.Port}",
        var address => address.Port.ToString(CultureInfo.InvariantCulture),
    };

    private static string Family(SocketDomain domain) => domain switch
    {
        SocketDomain.Unix => "AF_UNIX",
        SocketDomain.IPv4 => "AF_INET",
        SocketDomain.IPv6 => "AF_INET6",
        SocketDomain.Vsock => "AF_VSOCK",
        _ => throw new ArgumentOutOfRangeException(nameof(domain)),
    };
}
