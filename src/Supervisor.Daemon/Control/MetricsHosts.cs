using System.Net;
using Supervisor.Core;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Which Host headers are answered on <c>daemon.metrics</c>. A browser sends the name in its address bar, so a page whose
/// name resolves to this host by its owner's doing (DNS rebinding) asks with that name, and gets nothing. A scraper asks by an address,
/// by localhost, by this host's own name, or by a name that <c>daemon.metrics_hosts</c> lists.
/// </summary>
internal sealed class MetricsHosts
{
    /// <summary>The setting.</summary>
    public const string Setting = "daemon.metrics_hosts";

    /// <summary>Accepts every name.</summary>
    private const string Any = "*";

    private const int MostShown = 80;

    private readonly HashSet<string> _names;

    /// <param name="configured"><c>daemon.metrics_hosts</c>.</param>
    /// <param name="own">This host's name, gethostname(2).</param>
    public MetricsHosts(IEnumerable<string> configured, string own) =>
        _names = new HashSet<string>([.. configured, "localhost", own, own.Split('.')[0]], StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether that host, without its port, is answered. A request of HTTP/1.0 need not name any; no browser sends one.</summary>
    public bool Answers(string host) =>
        host.Length == 0 || _names.Contains(Any) || IPAddress.TryParse(host, out _) || _names.Contains(host.EndsWith('.') ? host[..^1] : host);

    /// <summary>What another one is told, in one line.</summary>
    public static string Refusal(string host) =>
        $"host \"{Printable.Line(host.Length > MostShown ? host[..MostShown] + "..." : host)}\" is not answered here: add it to {Setting}";
}
