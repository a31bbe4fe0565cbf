using System.Globalization;
using Supervisor.Core.Services;

namespace Supervisor.Linux.Workers;

/// <summary>What a process learns about the peer of its connection, as from systemd; systemd.exec(5).</summary>
internal static class ConnectionVariables
{
    /// <summary>The names. A process may have only some of them.</summary>
    public static ReadOnlySpan<string> Names => new[] { "REMOTE_ADDR", "REMOTE_PORT", "SO_COOKIE" };

    public static IEnumerable<KeyValuePair<string, string>> Of(WorkerConnection connection)
    {
        if (connection.Address is { } address)
        {
            yield return new("REMOTE_ADDR", address);
        }

        if (connection.Port is { } port)
        {
            yield return new("REMOTE_PORT", port.ToString(CultureInfo.InvariantCulture));
        }

        if (connection.Cookie != 0)
        {
            yield return new("SO_COOKIE", connection.Cookie.ToString(CultureInfo.InvariantCulture));
        }
    }
}
