using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners;

/// <summary>
/// A listener's configured address, parsed and checked, never resolved: hosts are numeric. The forms are <c>tcp:// udp://
/// mptcp://</c> with <c>HOST:PORT</c> (HOST is an IPv4 address, a bracketed IPv6 address with an optional <c>%interface</c>, or
/// <c>*</c>), <c>unix:// unix-dgram:// unix-seqpacket://</c> with an absolute path or <c>@name</c> (abstract), and
/// <c>vsock://CID:PORT</c>, <c>fifo:// special://</c> with an absolute path, <c>mqueue:///NAME</c> and <c>netlink://FAMILY/GROUP</c>.
/// Values compare by content.
/// </summary>
[JsonConverter(typeof(ListenAddressConverter))]
public sealed record ListenAddress
{
    /// <summary>The most bytes of a UNIX path: sun_path is 108 with its terminating NUL (unix(7)).</summary>
    public const int MaxUnixPathBytes = 107;

    /// <summary>VMADDR_CID_ANY and VMADDR_PORT_ANY, linux/vm_sockets.h.</summary>
    public const uint VsockAny = uint.MaxValue;

    private static readonly ListenerKind[] Kinds =
    [
        ListenerKind.Tcp, ListenerKind.Udp, ListenerKind.UnixStream, ListenerKind.UnixDatagram, ListenerKind.UnixSeqpacket,
        ListenerKind.Vsock, ListenerKind.Mptcp, ListenerKind.Sctp, ListenerKind.Fifo, ListenerKind.MessageQueue, ListenerKind.Netlink,
        ListenerKind.Special,
    ];

    private static readonly string[] Schemes = [.. Kinds.Select(kind => kind.Scheme())];

    private ListenAddress(ListenerKind kind) => Kind = kind;

    /// <summary>The scheme.</summary>
    public ListenerKind Kind { get; private init; }

    /// <summary>The numeric host of an internet address; null for the others and for <c>*</c>.</summary>
    public IPAddress? Host { get; private init; }

    /// <summary>True for <c>*</c>: [::] dual-stack if IPv6 exists, else 0.0.0.0.</summary>
    public bool IsAnyFamily { get; private init; }

    /// <summary>The interface named after <c>%</c> in an IPv6 address, by name or number; null without one.</summary>
    public string? Scope { get; private init; }

    /// <summary>Port: 0 to 65535 for an internet address, 0 meaning any free one; 32 bits for vsock.</summary>
    public uint Port { get; private init; }

    /// <summary>
    /// The path, the abstract name without its <c>@</c>, or the name of a message queue with its slash; null for the others.
    /// </summary>
    public string? Path { get; private init; }

    /// <summary>Whether <see cref="Path"/> is a name in the abstract namespace.</summary>
    public bool IsAbstract { get; private init; }

    /// <summary>Whether bind() makes a file for it: a UNIX socket with a path.</summary>
    public bool IsFile => Kind.IsUnix() && !IsAbstract;

    /// <summary>Whether a file at <see cref="Path"/> leads to it, which the daemon may make: a UNIX socket with a path, or a FIFO.</summary>
    public bool HasFile => IsFile || Kind == ListenerKind.Fifo;

    /// <summary>Whether clients find it by a file or a name that the daemon may make and others can remove.</summary>
    public bool HasName => HasFile || Kind == ListenerKind.MessageQueue;

    /// <summary>Whether <see cref="Path"/> is a path, or the name of a message queue.</summary>
    public bool HasPath => Path is not null && !IsAbstract;

    /// <summary>The vsock context id.</summary>
    public uint Cid { get; private init; }

    /// <summary>The netlink family, linux/netlink.h.</summary>
    public int Family { get; private init; }

    /// <summary>The multicast groups of a netlink socket: bits of nl_groups, netlink(7), as systemd has them.</summary>
    public uint Groups { get; private init; }

    /// <summary>Whether this is the wildcard of its family, or of both.</summary>
    public bool IsWildcard => IsAnyFamily || (Host is not null && (Host.Equals(IPAddress.Any) || Host.Equals(IPAddress.IPv6Any)));

    /// <summary>An internet address.</summary>
    public static ListenAddress Internet(ListenerKind kind, IPAddress host, int port, string? scope = null) =>
        new(kind) { Host = host, Port = (uint)port, Scope = scope };

    /// <summary><c>*</c>: the families that this host has.</summary>
    public static ListenAddress AnyFamily(ListenerKind kind, int port) => new(kind) { IsAnyFamily = true, Port = (uint)port };

    /// <summary>A UNIX path, or an abstract name.</summary>
    public static ListenAddress Unix(ListenerKind kind, string path, bool isAbstract) => new(kind) { Path = path, IsAbstract = isAbstract };

    /// <summary>A vsock address.</summary>
    public static ListenAddress Vsock(uint cid, uint port) => new(ListenerKind.Vsock) { Cid = cid, Port = port };

    /// <summary>A FIFO, a special file or a message queue, by path or name.</summary>
    public static ListenAddress Opened(ListenerKind kind, string path) => new(kind) { Path = path };

    /// <summary>A netlink family and the bits of its multicast groups.</summary>
    public static ListenAddress Netlink(int family, uint groups) => new(ListenerKind.Netlink) { Family = family, Groups = groups };

    /// <summary>The text for a descriptor that cannot be a listener, such as <c>pipe:[4711]</c>.</summary>
    public static ListenAddress Opaque(string description) => new(ListenerKind.Other) { Path = description };

    /// <summary>The same address with another port, as getsockname() reports it after port 0.</summary>
    public ListenAddress WithPort(uint port) => this with { Port = port };

    /// <summary>
    /// Parses <paramref name="text"/>. On failure <paramref name="error"/> has the problem and what to write instead.
    /// </summary>
    public static bool TryParse(
        string text,
        [NotNullWhen(true)] out ListenAddress? address,
        [NotNullWhen(false)] out AddressError? error)
    {
        address = null;
        error = null;
        var separator = text.IndexOf("://", StringComparison.Ordinal);
        if (separator < 0)
        {
            error = AddressError.Syntax(
                $"\"{text}\" has no scheme: write {string.Join(", ", Schemes.Select(one => one + "://"))} before it");
            return false;
        }

        var scheme = text[..separator];
        var rest = text[(separator + 3)..];
        var index = Array.IndexOf(Schemes, scheme);
        ListenerKind? kind = index < 0 ? null : Kinds[index];

        switch (kind)
        {
            case null:
                error = AddressError.Syntax($"\"{scheme}://\" is not a scheme of a listener: use one of {string.Join(", ", Schemes)}");
                return false;
            case ListenerKind.Fifo or ListenerKind.Special or ListenerKind.MessageQueue or ListenerKind.Netlink:
                return OtherAddress.TryParse(text, kind.Value, rest, out address, out error);
            case ListenerKind.Vsock:
                return VsockAddress.TryParse(text, rest, out address, out error);
            case ListenerKind.UnixStream or ListenerKind.UnixDatagram or ListenerKind.UnixSeqpacket:
                return TryParseUnix(text, kind.Value, rest, out address, out error);
            default:
                return TryParseInternet(text, kind.Value, rest, out address, out error);
        }
    }

    /// <summary>The address as a user writes it; an IPv6 host in brackets, an abstract name after <c>@</c>.</summary>
    public override string ToString()
    {
        if (Kind == ListenerKind.Other)
        {
            return Path!;
        }

        var scheme = Kind.Scheme();
        if (Kind.IsUnix())
        {
            return $"{scheme}://{(IsAbstract ? "@" : "")}{Path}";
        }

        if (!Kind.IsSocket())
        {
            return $"{scheme}://{Path}";
        }

        if (Kind == ListenerKind.Netlink)
        {
            return NetlinkFamilies.Text(this);
        }

        if (Kind == ListenerKind.Vsock)
        {
            var cid = Cid == VsockAny ? "*" : Cid.ToString(CultureInfo.InvariantCulture);
            return $"vsock://{cid}:{Port.ToString(CultureInfo.InvariantCulture)}";
        }

        if (IsAnyFamily)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{scheme}://*:{Port}");
        }

        return Host!.AddressFamily == AddressFamily.InterNetworkV6
            ? string.Create(CultureInfo.InvariantCulture, $"{scheme}://[{Host}{(Scope is null ? "" : "%" + Scope)}]:{Port}")
            : string.Create(CultureInfo.InvariantCulture, $"{scheme}://{Host}:{Port}");
    }

    private static bool TryParseInternet(string text, ListenerKind kind, string rest, out ListenAddress? address, out AddressError? error)
    {
        address = null;
        error = null;
        string host;
        string port;
        string? scope = null;
        if (rest.StartsWith('['))
        {
            var end = rest.IndexOf(']', StringComparison.Ordinal);
            if (end < 0)
            {
                error = AddressError.Syntax($"\"{text}\" has an unclosed bracket: write [ADDRESS]:PORT");
                return false;
            }

            host = rest[1..end];
            var after = rest[(end + 1)..];
            if (!after.StartsWith(':'))
            {
                error = AddressError.Syntax($"\"{text}\" has no port: write [{host}]:PORT, with 0 for any free port");
                return false;
            }

            port = after[1..];
            var percent = host.IndexOf('%', StringComparison.Ordinal);
            if (percent >= 0)
            {
                scope = host[(percent + 1)..];
                host = host[..percent];
                if (scope.Length == 0)
                {
                    error = AddressError.Syntax($"\"{text}\" has no interface after \"%\": write [{host}%eth0]:{port}");
                    return false;
                }
            }

            if (!IPAddress.TryParse(host, out var v6) || v6.AddressFamily != AddressFamily.InterNetworkV6)
            {
                error = AddressError.Syntax($"\"{host}\" in \"{text}\" is not an IPv6 address; write an IPv4 address without brackets");
                return false;
            }

            if (!TryParsePort(text, port, out var v6Port, out error))
            {
                return false;
            }

            address = Internet(kind, v6, v6Port, scope);
            return true;
        }

        var colon = rest.LastIndexOf(':');
        if (colon >= 0 && rest.IndexOf(':', StringComparison.Ordinal) != colon)
        {
            error = IPAddress.TryParse(rest, out _) || IPAddress.TryParse(rest[..colon], out _)
                ? AddressError.Syntax(
                    $"the IPv6 address in \"{text}\" has no brackets: write {kind.Scheme()}://[{rest[..colon]}]:{rest[(colon + 1)..]}")
                : AddressError.Syntax($"\"{text}\" has more than one colon: write HOST:PORT, an IPv6 address in brackets");
            return false;
        }

        if (colon < 0)
        {
            error = AddressError.Syntax(
                $"\"{text}\" has no port: write {kind.Scheme()}://{(rest.Length == 0 ? "*" : rest)}:PORT, with 0 for any free port");
            return false;
        }

        host = rest[..colon];
        port = rest[(colon + 1)..];
        if (!TryParsePort(text, port, out var number, out error))
        {
            return false;
        }

        if (host is "*" or "")
        {
            if (host.Length == 0)
            {
                error = AddressError.Syntax(
                    $"\"{text}\" has no host: write {kind.Scheme()}://*:{port} for every address of this machine");
                return false;
            }

            address = AnyFamily(kind, number);
            return true;
        }

        if (TryParseIPv4(host, out var v4))
        {
            address = Internet(kind, v4, number);
            return true;
        }

        if (host.All(c => char.IsAsciiDigit(c) || c == '.'))
        {
            error = AddressError.Syntax($"\"{host}\" in \"{text}\" is not an IPv4 address: write four numbers from 0 to 255");
            return false;
        }

        if (host.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        {
            error = AddressError.HostName(host, $"\"{host}\" in \"{text}\" is a host name, and a listener's address is numeric");
            return false;
        }

        error = AddressError.Syntax($"\"{host}\" in \"{text}\" is not an IPv4 address");
        return false;
    }

    /// <summary>
    /// Accepts only dotted quads. inet_aton's other spellings (127.1, octal) are rejected, because they hide the address.
    /// </summary>
    private static bool TryParseIPv4(string host, [NotNullWhen(true)] out IPAddress? address)
    {
        const int numbers = 4;
        address = null;
        Span<Range> parts = stackalloc Range[numbers + 1];
        if (host.AsSpan().Split(parts, '.') != numbers)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[numbers];
        for (var i = 0; i < numbers; i++)
        {
            var part = host.AsSpan(parts[i]);
            if (part.Length is 0 or > 3
                || (part.Length > 1 && part[0] == '0')
                || !byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out bytes[i]))
            {
                return false;
            }
        }

        address = new IPAddress(bytes);
        return true;
    }

    private static bool TryParsePort(string text, string port, out int number, out AddressError? error)
    {
        error = null;
        if (int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number is >= 0 and <= 65535)
        {
            return true;
        }

        error = AddressError.Syntax(
            port.Length == 0
                ? $"\"{text}\" has no port after its colon: write a number from 1 to 65535, or 0 for any free port"
                : $"port \"{port}\" in \"{text}\" is out of range: ports are 1 to 65535, and 0 means any free port");
        return false;
    }

    private static bool TryParseUnix(string text, ListenerKind kind, string rest, out ListenAddress? address, out AddressError? error)
    {
        address = null;
        error = null;
        var isAbstract = rest.StartsWith('@');
        var path = isAbstract ? rest[1..] : rest;
        if (path.Length == 0)
        {
            error = AddressError.Syntax(
                $"\"{text}\" has no path: write {kind.Scheme()}:///run/NAME.sock, or {kind.Scheme()}://@NAME for an abstract one");
            return false;
        }

        if (!isAbstract && !path.StartsWith('/'))
        {
            error = AddressError.Syntax(
                $"the path in \"{text}\" is relative: write {kind.Scheme()}:///{path} with the absolute path, "
                + $"or {kind.Scheme()}://@{path} for an abstract name");
            return false;
        }

        if (path.Contains('\0', StringComparison.Ordinal))
        {
            error = AddressError.Syntax("a UNIX path cannot contain a NUL byte");
            return false;
        }

        // The kernel rejects a path that is too long (ENAMETOOLONG, a FAILURE with a cause), so it parses here.
        address = Unix(kind, path, isAbstract);
        return true;
    }

    /// <summary>Bytes of <see cref="Path"/> in UTF-8, as in sun_path; 0 if there is no path.</summary>
    public int PathBytes => Path is null ? 0 : Encoding.UTF8.GetByteCount(Path);
}
