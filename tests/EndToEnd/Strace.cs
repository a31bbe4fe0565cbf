using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Supervisor.EndToEnd;

/// <summary>
/// Reads one thread's system calls from strace's file and sorts them by socket. -ff gives each thread its own file, which
/// keeps each call in one piece.
/// </summary>
internal static partial class Strace
{
    private const string ThisProcess = "/proc/self/fd/";

    /// <summary>The calls to trace.</summary>
    public const string Calls = "socket,setsockopt,getsockopt,bind,listen,getsockname,close,fchmod,openat,chmod,fchownat,unlinkat";

    /// <summary>
    /// The sockets with calls other than socket() and close(), in the order of their creation, with their calls.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<TracedCall>> Sockets(IEnumerable<string> lines)
    {
        var all = new List<List<TracedCall>>();
        var open = new Dictionary<string, List<TracedCall>>(StringComparer.Ordinal);
        var pinned = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            var match = Line().Match(line);
            if (!match.Success)
            {
                continue;
            }

            var (name, arguments) = (match.Groups["call"].Value, match.Groups["arguments"].Value);
            var (result, errno) = (match.Groups["result"].Value, match.Groups["errno"].Value);
            var call = new TracedCall(name) { Errno = errno.Length > 0 ? errno : null };
            var first = arguments.Split(", ")[0];
            if (name == "socket" && arguments.StartsWith("AF_NETLINK", StringComparison.Ordinal))
            {
                open.Remove(result);
            }
            else if (name == "socket")
            {
                var calls = new List<TracedCall> { call with { Value = arguments } };
                all.Add(calls);
                open[result] = calls;
            }
            else if (name == "openat" && arguments.Contains("O_PATH", StringComparison.Ordinal))
            {
                pinned[result] = Join(first, arguments.Split(", ")[1]);
            }
            else if (name is "chmod" or "fchownat" or "unlinkat")
            {
                // listend opens a file that bind() created by a descriptor, so no other process can replace it.
                var path = name == "fchownat" ? pinned[first] : name == "unlinkat" ? Join(first, arguments.Split(", ")[1]) : Unquote(first);
                path = path.StartsWith(ThisProcess, StringComparison.Ordinal) ? pinned[path[ThisProcess.Length..]] : path;
                Bound(all, path)?.Add(call with { Value = name == "chmod" ? arguments.Split(", ")[1] : null });
            }
            else if (open.TryGetValue(first, out var calls))
            {
                if (name == "getsockopt")
                {
                    ReadBack(calls, arguments, errno);
                    continue;
                }

                calls.Add(name switch
                {
                    "setsockopt" => SetOption(call, arguments),
                    "bind" => call with { Value = Address(arguments) },
                    "listen" or "fchmod" => call with { Value = arguments.Split(", ")[1] },
                    _ => call,
                });
                if (name == "close")
                {
                    open.Remove(first);
                }
            }
        }

        return [.. all.Where(calls => calls.Exists(one => one.Call is not ("socket" or "close" or "getsockname")))];

        // A name in an open directory, or a path.
        string Join(string directory, string name) =>
            pinned.TryGetValue(directory, out var path) ? $"{path.TrimEnd('/')}/{Unquote(name)}" : Unquote(name);
    }

    private static List<TracedCall>? Bound(List<List<TracedCall>> all, string path) =>
        all.FindLast(calls => calls.Exists(one => one.Call == "bind" && one.Value is { } bound
            && (path == bound || path.StartsWith(bound + ".stale-", StringComparison.Ordinal))));

    private static TracedCall SetOption(TracedCall call, string arguments)
    {
        var match = OptionCall().Match(arguments);
        var option = match.Groups["option"].Value;
        return call with { Option = option, Value = OptionValue(option, match.Groups["value"].Value) };
    }

    // The next getsockopt() of an option that was set returns its effective value.
    private static void ReadBack(List<TracedCall> calls, string arguments, string errno)
    {
        var match = OptionCall().Match(arguments);
        var option = match.Groups["option"].Value;
        var at = calls.FindLastIndex(
            one => one.Call == "setsockopt" && one.Option?.Replace("FORCE", "", StringComparison.Ordinal) == option);
        if (at == calls.FindLastIndex(one => one.Call == "setsockopt") && at >= 0 && calls[at].Effective is null && errno.Length == 0)
        {
            calls[at] = calls[at] with { Effective = OptionValue(option, match.Groups["value"].Value) };
        }
    }

    private static string OptionValue(string option, string value) => option switch
    {
        "SO_LINGER" => Linger().Match(value).Groups["time"].Value,
        "MCAST_JOIN_GROUP" => $"{InternetHost().Match(value).Groups["host"].Value} on {Interface().Match(value).Groups["name"].Value}",
        "MCAST_JOIN_SOURCE_GROUP" => SourceGroup(Bytes(value)),
        "SO_MARK" => ((uint)int.Parse(value.Trim('[', ']'), CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture),
        _ when value.StartsWith("0x", StringComparison.Ordinal) => "", // strace shows the address of an empty name
        _ when value.StartsWith('"') => Encoding.UTF8.GetString(Bytes(value)).TrimEnd('\0'),
        _ => value.Trim('[', ']'),
    };

    // struct group_source_req, linux/in.h: the interface's number, padding, two sockaddr_storage.
    private static string SourceGroup(byte[] bytes) =>
        $"{new IPAddress(bytes.AsSpan(12, 4))} from {new IPAddress(bytes.AsSpan(140, 4))} "
        + $"on {(BitConverter.ToInt32(bytes) == 1 ? "lo" : "?")}";

    private static string Address(string arguments)
    {
        if (UnixPath().Match(arguments) is { Success: true } path)
        {
            return path.Groups["abstract"].Value + path.Groups["path"].Value;
        }

        if (arguments.Contains("AF_VSOCK", StringComparison.Ordinal))
        {
            return "*:4294967295"; // VMADDR_CID_ANY, VMADDR_PORT_ANY
        }

        var host = IPAddress.Parse(InternetHost().Match(arguments).Groups["host"].Value);
        return new IPEndPoint(
            host,
            int.Parse(Port().Match(arguments).Groups["port"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture)).ToString();
    }

    private static string Unquote(string text) => text.Trim('"');

    // A string as C writes it, with octal escapes.
    private static byte[] Bytes(string quoted)
    {
        var bytes = new List<byte>();
        var end = quoted.LastIndexOf('"');
        for (var i = 1; i < end; i++)
        {
            if (quoted[i] != '\\')
            {
                bytes.Add((byte)quoted[i]);
                continue;
            }

            var digits = 0;
            var number = 0;
            while (digits < 3 && i + 1 < end && quoted[i + 1] is >= '0' and <= '7')
            {
                number = (number * 8) + (quoted[++i] - '0');
                digits++;
            }

            bytes.Add((byte)(digits > 0
                ? number
                : quoted[++i] switch { 'n' => 10, 't' => 9, 'r' => 13, 'v' => 11, 'f' => 12, var other => other }));
        }

        return [.. bytes];
    }

    [GeneratedRegex(@"^(?<call>[a-z0-9_]+)\((?<arguments>.*)\)\s+= (?<result>-?\d+)(?: (?<errno>E[A-Z0-9]+) .*)?$")]
    private static partial Regex Line();

    [GeneratedRegex(@"^\d+, (?<level>SOL_\w+), (?<option>[A-Z0-9_]+), (?<value>.*), \[?\d+(?: => \d+)?\]?$")]
    private static partial Regex OptionCall();

    [GeneratedRegex(@"l_linger=(?<time>\d+)")]
    private static partial Regex Linger();

    [GeneratedRegex(@"inet_(?:addr\(|pton\(AF_INET6, )""(?<host>[^""]+)""")]
    private static partial Regex InternetHost();

    [GeneratedRegex(@"htons\((?<port>\d+)\)")]
    private static partial Regex Port();

    [GeneratedRegex(@"if_nametoindex\(""(?<name>[^""]+)""\)")]
    private static partial Regex Interface();

    [GeneratedRegex(@"sun_path=(?<abstract>@?)""(?<path>[^""]*)""")]
    private static partial Regex UnixPath();
}
