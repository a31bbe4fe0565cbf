using System.Net;
using Supervisor.Core;

namespace Supervisor.Daemon.Web;

/// <summary>
/// The Host headers that <c>daemon.metrics</c> accepts: addresses, localhost, this host's name, and the names in
/// <c>daemon.metrics_hosts</c>. This stops DNS rebinding: a browser sends the name in its address bar, and the owner of a
/// web page can make the page's name resolve to this host.
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

    /// <summary>
    /// Whether a host, without its port, is accepted. An HTTP/1.0 request may have none; no browser sends such a request.
    /// </summary>
    public bool Answers(string host) =>
        host.Length == 0 || _names.Contains(Any) || IPAddress.TryParse(host, out _)
        || _names.Contains(host.EndsWith('.') ? host[..^1] : host);

    /// <summary>The refusal in one line.</summary>
    public static string Refusal(string host) =>
        $"host \"{Printable.Line(host.Length > MostShown ? host[..MostShown] + "..." : host)}\" is not accepted: add it to {Setting}";
}
