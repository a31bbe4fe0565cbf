using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Core.Handoff;

/// <summary>A listener as it is handed to a worker.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Domain">Its family.</param>
/// <param name="Effective">Its address.</param>
public sealed record HandedListener(string Name, ListenerKind Kind, SocketDomain Domain, ListenAddress? Effective);

/// <summary>
/// What a hand-off protocol puts into a worker's environment, and where the descriptors stand. Pure: the child's process
/// id, which some protocols want, is named and filled in by the spawn.
/// </summary>
/// <param name="Variables">NAME, VALUE.</param>
/// <param name="PidVariables">Variables whose value is the child's process id.</param>
/// <param name="FirstDescriptor">The first listener's descriptor; null where none is passed.</param>
public sealed record HandoffEnvironment(
    ImmutableArray<KeyValuePair<string, string>> Variables,
    ImmutableArray<string> PidVariables,
    int? FirstDescriptor)
{
    /// <summary>SD_LISTEN_FDS_START, sd_listen_fds(3).</summary>
    public const int ListenFdsStart = 3;

    /// <summary>The environment of a protocol for these listeners, in descriptor order, from the daemon <paramref name="daemonPid"/>.</summary>
    public static HandoffEnvironment For(HandoffKind kind, IReadOnlyList<HandedListener> listeners, int generation, int daemonPid) => kind switch
    {
        HandoffKind.ListenFds => ListenFds(listeners),
        HandoffKind.None or HandoffKind.ScmRights => new([], [], null),
        HandoffKind.Stdin => new([], [], 0),
        HandoffKind.Nginx => new([new("NGINX", string.Concat(Numbers(listeners).Select(number => number + ";")))], [], ListenFdsStart),
        HandoffKind.Gunicorn => new(
            [
                new("GUNICORN_FD", string.Join(',', Numbers(listeners))),
                new("GUNICORN_PID", daemonPid.ToString(CultureInfo.InvariantCulture)),
            ],
            [],
            ListenFdsStart),
        HandoffKind.ServerStarter => new(
            [
                new("SERVER_STARTER_PORT", string.Join(';', listeners.Select((listener, i) => $"{ServerStarterName(listener)}={Number(i)}"))),
                new("SERVER_STARTER_GENERATION", generation.ToString(CultureInfo.InvariantCulture)),
            ],
            [],
            ListenFdsStart),
        HandoffKind.Einhorn => new(
            [
                new("EINHORN_MASTER_PID", daemonPid.ToString(CultureInfo.InvariantCulture)),
                new("EINHORN_FD_COUNT", listeners.Count.ToString(CultureInfo.InvariantCulture)),
                .. listeners.Select((_, i) => new KeyValuePair<string, string>($"EINHORN_FD_{i}", Number(i))),
                .. listeners.Select((listener, i) => new KeyValuePair<string, string>($"EINHORN_FD_FAMILY_{i}", Family(listener.Domain))),
            ],
            [],
            ListenFdsStart),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static HandoffEnvironment ListenFds(IReadOnlyList<HandedListener> listeners) => listeners.Count == 0
        ? new([], [], null)
        : new(
            [
                new("LISTEN_FDS", listeners.Count.ToString(CultureInfo.InvariantCulture)),
                new("LISTEN_FDNAMES", string.Join(':', listeners.Select(listener => listener.Name))),
            ],
            ["LISTEN_PID"],
            ListenFdsStart);

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
