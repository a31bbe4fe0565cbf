using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Supervisor.Load.Tool;

/// <summary>Parses the address of a listener.</summary>
internal static class TargetAddress
{
    /// <summary>
    /// Parses <c>127.0.0.1:8080</c>, <c>[::1]:8080</c>, either with <c>tcp://</c> before it, or <c>unix:///path</c> and
    /// <c>unix://@name</c>. Refuses addresses of other machines, because the tool measures a local listener.
    /// </summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out EndPoint? target, [NotNullWhen(false)] out string? error)
    {
        const string Tcp = "tcp://";
        const string Unix = "unix://";
        target = null;
        error = null;
        if (text.StartsWith(Unix, StringComparison.Ordinal) && text.Length > Unix.Length)
        {
            var path = text[Unix.Length..];
            target = new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path);
            return true;
        }

        if (!IPEndPoint.TryParse(text.StartsWith(Tcp, StringComparison.Ordinal) ? text[Tcp.Length..] : text, out var address)
            || address.Port == 0)
        {
            error = $"'{text}' is not a target: use 127.0.0.1:8080, [::1]:8080, unix:///path or unix://@name";
            return false;
        }

        if (!IPAddress.IsLoopback(address.Address))
        {
            error = $"{address} is not on this machine's loopback: this tool measures a listener here, and puts a load on nobody else";
            return false;
        }

        target = address;
        return true;
    }
}
