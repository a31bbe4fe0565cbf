using System.Globalization;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Import;

/// <summary>An address of a .socket unit, systemd.socket(5).</summary>
internal static class SystemdAddress
{
    private static readonly string[] VsockPrefixes = ["vsock-stream:", "vsock:"];

    /// <summary>The settings that add an address, and that listend can have. An empty value of any of them resets all before it.</summary>
    public static bool IsAddress(string key) => key is "ListenStream" or "ListenDatagram" or "ListenSequentialPacket" or "ListenFIFO"
        or "ListenSpecial" or "ListenNetlink" or "ListenMessageQueue";

    /// <summary>The address for listend; null with the reason if it has no equivalent.</summary>
    /// <param name="setting">ListenStream=, ListenFIFO= or another one of them.</param>
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

        if (Opened(setting.Key, text) is { } opened)
        {
            return Checked(opened, out reason);
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

    /// <summary>A FIFO, special file, message queue or netlink family; null for a socket of clients.</summary>
    private static string? Opened(string key, string text) => key switch
    {
        "ListenFIFO" => "fifo://" + text,
        "ListenSpecial" => "special://" + text,
        "ListenMessageQueue" => "mqueue://" + text,

        "ListenNetlink" => Netlink(text.Split([' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
        _ => null,
    };

    /// <summary>FAMILY GROUPS; without groups none (src/core/socket.c, src/shared/socket-netlink.c).</summary>
    private static string Netlink(string[] words) => words is [var family, var groups] && SystemdValues.Integer(groups) is { } number
        ? string.Create(CultureInfo.InvariantCulture, $"netlink://{family}/{number}")
        : "netlink://" + string.Join('/', words);

    private static string? Checked(string text, out string reason)
    {
        var isAddress = ListenAddress.TryParse(text, out var address, out var error);
        reason = isAddress ? "" : error!.Message;
        return address?.ToString();
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
            if (protocol.Value is not ("mptcp" or "sctp") || !isStream)
            {
                reason = $"SocketProtocol={protocol.Value} (line {protocol.Line}): listend supports TCP, MPTCP, SCTP streams and UDP";
                return null;
            }

            scheme = protocol.Value;
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

        return Checked($"{scheme}://{text}", out reason);
    }
}
