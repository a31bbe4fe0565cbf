using System.Globalization;

namespace Supervisor.Core.Listeners;

/// <summary>Parses the part after the scheme of the addresses that have no port: FIFO, special file, message queue, netlink.</summary>
internal static class OtherAddress
{
    /// <summary>NAME_MAX, linux/limits.h: the longest name of a message queue, in bytes, without its slash.</summary>
    private const int LongestName = 255;

    /// <summary>As <see cref="ListenAddress.TryParse"/>.</summary>
    public static bool TryParse(string text, ListenerKind kind, string rest, out ListenAddress? address, out AddressError? error)
    {
        var problem = kind switch
        {
            ListenerKind.MessageQueue => OfQueue(text, rest),
            ListenerKind.Netlink => null,
            _ => OfPath(text, kind, rest),
        };
        if (problem is null && kind == ListenerKind.Netlink)
        {
            return TryParseNetlink(text, rest, out address, out error);
        }

        error = problem is null ? null : AddressError.Syntax(problem);
        address = problem is null ? ListenAddress.Opened(kind, rest) : null;
        return problem is null;
    }

    private static string? OfPath(string text, ListenerKind kind, string rest) => rest switch
    {
        "" or "/" => $"\"{text}\" has no path: write {kind.Scheme()}:///PATH with the absolute path of a file",
        ['@', ..] => $"\"{text}\" is an abstract name, which only a UNIX socket has: write {kind.Scheme()}:///PATH",
        [not '/', ..] => $"the path in \"{text}\" is relative: write {kind.Scheme()}:///{rest} with the absolute path",
        _ when rest.Contains('\0', StringComparison.Ordinal) => "a path cannot contain a NUL byte",
        [.., '/'] => $"the path in \"{text}\" names a directory: remove the slash at its end",
        _ => null,
    };

    private static string? OfQueue(string text, string rest) => rest switch
    {
        "" or "/" => $"\"{text}\" has no name: write mqueue:///NAME",
        [not '/', ..] => $"\"{text}\" lacks the slash before its name: write mqueue:///{rest}",
        _ when rest.IndexOf('/', 1) > 0 => $"the name in \"{text}\" has a slash inside, and a message queue has no directories",
        "/." or "/.." => $"\"{text}\" has no name: write mqueue:///NAME",
        _ when rest.Contains('\0', StringComparison.Ordinal) => "a name cannot contain a NUL byte",
        _ when System.Text.Encoding.UTF8.GetByteCount(rest) > LongestName + 1 =>
            $"the name in \"{text}\" is longer than {LongestName} bytes",
        _ => null,
    };

    private static bool TryParseNetlink(string text, string rest, out ListenAddress? address, out AddressError? error)
    {
        address = null;
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var family = slash < 0 ? rest : rest[..slash];
        if (NetlinkFamilies.Find(family) is not { } number)
        {
            error = AddressError.Syntax(
                $"\"{family}\" in \"{text}\" is not a netlink family: write a number below 32, or one of {NetlinkFamilies.Names}");
            return false;
        }

        uint groups = 0;
        if (slash >= 0 && !uint.TryParse(rest[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out groups))
        {
            error = AddressError.Syntax(
                $"\"{rest[(slash + 1)..]}\" in \"{text}\" is not a group: write the bits of nl_groups as a number, and 0 for none");
            return false;
        }

        error = null;
        address = ListenAddress.Netlink(number, groups);
        return true;
    }
}
