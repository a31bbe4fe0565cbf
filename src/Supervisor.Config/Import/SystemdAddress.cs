using System.Globalization;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Import;

/// <summary>An address of a .socket unit, systemd.socket(5).</summary>
internal static class SystemdAddress
{
    private static readonly string[] VsockPrefixes = ["vsock-stream:", "vsock:"];

    /// <summary>The address for listend; null with the reason if it has no equivalent.</summary>
    /// <param name="setting">ListenStream=, ListenDatagram= or ListenSequentialPacket=.</param>
    /// <param name="unit">The unit, for its specifiers and SocketProtocol=.</param>
    /// <param name="reason">Why the address has no equivalent; empty if it has one.</param>
    public static string? Of(SourceSetting setting, SystemdUnit unit, out string reason)
    {
        if (SystemdSpecifiers.Expand(setting.Value, unit, out reason) is not { } text)
        {
            return null;
        }

        if (text.Length == 0)
        {
            reason = "it names no address";
            return null;
        }

        if (text[0] is '/' or '@')
        {
            return setting.Key switch
            {
                "ListenStream" => "unix://",
                "ListenDatagram" => "unix-dgram://",
                _ => "unix-seqpacket://",
            } + text;
        }

        if (setting.Key == "ListenSequentialPacket")
        {
            reason = "listend has SOCK_SEQPACKET only for UNIX sockets: "
                + "write a path that begins with \"/\" or an abstract name after \"@\"";
            return null;
        }

        var isStream = setting.Key == "ListenStream";
        return Array.Find(VsockPrefixes, prefix => text.StartsWith(prefix, StringComparison.Ordinal)) is { } vsock
            ? Vsock(text[vsock.Length..], isStream, out reason)
            : Internet(text, isStream, unit, out reason);
    }

    private static string? Vsock(string text, bool isStream, out string reason)
    {
        var parts = text.Split(':');
        reason = parts.Length == 2 && isStream ? "" : "it is not vsock:CID:PORT of a stream";
        return reason.Length > 0 ? null : $"vsock://{(parts[0].Length == 0 ? "*" : parts[0])}:{parts[1]}";
    }

    private static string? Internet(string text, bool isStream, SystemdUnit unit, out string reason)
    {
        reason = "";
        var scheme = isStream ? "tcp" : "udp";
        if (unit.Last("Socket", "SocketProtocol") is { } protocol)
        {
            if (protocol.Value != "mptcp" || !isStream)
            {
                reason = $"SocketProtocol={protocol.Value} (line {protocol.Line}): listend supports TCP, MPTCP and UDP";
                return null;
            }

            scheme = "mptcp";
        }

        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return $"{scheme}://*:{text}";
        }

        // [ADDRESS]:PORT%INTERFACE; listend writes the interface after the address.
        var percent = text.LastIndexOf('%');
        if (text[0] == '[' && percent > text.LastIndexOf(']'))
        {
            text = text[..percent].Replace("]", text[percent..] + "]", StringComparison.Ordinal);
        }

        if (ListenAddress.TryParse($"{scheme}://{text}", out var address, out var error))
        {
            return address.ToString();
        }

        reason = error.Message;
        return null;
    }
}
