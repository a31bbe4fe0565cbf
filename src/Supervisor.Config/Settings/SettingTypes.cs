using System.Globalization;
using System.Net;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Values;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Settings;

/// <summary>The types that more than one setting has, or that need some parsing of their own.</summary>
internal static class SettingTypes
{
    /// <summary>The names of listeners, services and descriptors: LISTEN_FDNAMES separates them by colons, sd_listen_fds(3).</summary>
    public const string NamePattern = "^(?!\\.\\.?$)[A-Za-z0-9_.-]{1,64}$";

    public static readonly FlagType Flag = new();

    /// <summary>A non-negative int, as most socket options take.</summary>
    public static readonly IntegerType Count = new(0, int.MaxValue);

    public static readonly DurationType AnyDuration = new(TimeSpan.Zero, Duration.Max);

    public static readonly TextType<ListenAddress> Address = new(
        "an address", "SCHEME://HOST:PORT, SCHEME:///PATH or SCHEME://@NAME", "tcp://127.0.0.1:8080", ReadAddress)
    {
        Pattern = "^(tcp|udp|mptcp|unix|unix-dgram|unix-seqpacket|vsock|sctp|fifo|mqueue|netlink|special)://.+$",
    };

    public static readonly TextType<string> HostAndPort = new(
        "an address", "HOST:PORT with a numeric HOST", "127.0.0.1:9469", ReadHostAndPort)
    {
        Pattern = "^.+:[0-9]+$",
    };

    /// <summary>A name as a Host header has it, without a port; RFC 1123, section 2.1.</summary>
    public static readonly TextType<string> HostName = new(
        "a host name", "letters, digits, \"-\" and \".\", or \"*\"", "metrics.example.org", static (text, _) =>
            text == "*" || (text.Length is >= 1 and <= 253 && text.All(IsHostNameCharacter) && text[0] is not ('-' or '.'))
                ? text
                : new ValueError($"{Quoted.Text(text)} is not a host name",
                    "write a name without scheme and port, such as \"metrics.example.org\", or \"*\""))
    {
        Pattern = "^(\\*|[A-Za-z0-9_][A-Za-z0-9._-]{0,252})$",
    };

    /// <summary>A network interface; the kernel's dev_valid_name, net/core/dev.c.</summary>
    public static readonly TextType<string> Interface = new(
        "an interface", "1 to 15 characters, without \"/\", \":\" and spaces", "eth0", ReadInterface)
    {
        Pattern = "^[^/:\\s]{1,15}$",
    };

    /// <summary>TCP_CA_NAME_MAX is 16 with the terminating NUL, net/tcp.h.</summary>
    public static readonly TextType<string> Congestion = new(
        "a congestion control", "1 to 15 characters", "cubic", static (text, _) =>
            text.Length is >= 1 and <= 15 && text.All(c => c is > ' ' and <= '~')
                ? text
                : new ValueError($"{Quoted.Text(text)} is not a congestion control name: it needs 1 to 15 characters",
                    "write a name such as \"cubic\" or \"bbr\""))
    {
        Pattern = "^[!-~]{1,15}$",
    };

    public static readonly TextType<int> Mode = new("a mode", "octal, \"0000\" to \"7777\"", "0660", ReadOctal(0xfff))
    {
        TakesNumbers = false,
        Pattern = "^[0-7]{3,5}$",
    };

    public static readonly TextType<int> Umask = new("a mask", "octal, \"0000\" to \"0777\"", "0022", ReadOctal(0x1ff))
    {
        TakesNumbers = false,
        Pattern = "^[0-7]{3,5}$",
    };

    public static readonly TextType<string> UserName = new(
        "a user", "a name or a number", "www-data", ReadAccount("user"))
    { Pattern = "^[^:/\\s]+$" };

    public static readonly TextType<string> GroupName = new(
        "a group", "a name or a number", "www-data", ReadAccount("group"))
    { Pattern = "^[^:/\\s]+$" };

    public static readonly TextType<string> AllowEntry = new(
        "an entry", "user:NAME or group:NAME, NAME can be a number", "user:deploy", ReadAllowEntry)
    {
        Pattern = "^(user|group):[^:/\\s]+$",
    };

    public static readonly TextType<string> AbsolutePath = new("a path", "absolute", "/srv/api", ReadAbsolutePath) { Pattern = "^/" };

    public static readonly TextType<string> RuntimeDirectory = new(
        "a path", $"absolute, at most {RuntimeDirectoryPath.MaxBytes} bytes", "/run/listend", static (text, context) =>
            RuntimeDirectoryPath.TooLong(text) is { } fault
                ? new ValueError(fault, RuntimeDirectoryPath.Remedy)
                : ReadAbsolutePath(text, context))
    {
        Pattern = "^/",
    };

    public static readonly TextType<string> EnvironmentFile = new(
        "a path", "absolute, with \"-\" before it if the file may be missing", "/etc/default/api", static (text, context) =>
        {
            var optional = text.StartsWith('-');
            var reading = ReadAbsolutePath(optional ? text[1..] : text, context);
            return reading.ValueError is null ? text : reading;
        })
    {
        Pattern = "^-?/",
    };

    public static readonly TextType<string> Name = new("a name", "1 to 64 of the characters A-Z a-z 0-9 _ . -", "web", static (text, _) =>
        CheckName(text) is { } fault ? fault : text)
    {
        Pattern = NamePattern,
    };

    public static readonly TextType<IPAddress> NumericAddress = new("an address", "numeric, IPv4 or IPv6", "239.1.2.3", ReadNumericAddress);

    public static readonly TextType<int> Signal = new("a signal", "a name such as SIGTERM, QUIT or SIGRTMIN+3", "SIGTERM", ReadSignal)
    {
        Pattern = "^[A-Z][A-Z0-9]*([+-][0-9]+)?$",
    };

    public static readonly TextType<Readiness> Ready = new(
        "a condition", "notify, started, accepting, tcp, http:/PATH, fd:N, log:TEXT or exec:COMMAND", "notify", ReadinessText.Parse)
    {
        Pattern = ReadinessText.Pattern,
    };

    public static readonly TextType<Readiness> Probe = new(
        "a probe", "tcp, http:/PATH or exec:COMMAND", "http:/healthz", ReadinessText.ParseProbe)
    {
        Pattern = ReadinessText.ProbePattern,
    };

    public static readonly TextType<int> Percent = new("a share", "\"0%\" to \"100%\"", "10%", static (text, _) =>
        text.EndsWith('%') && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var percent) && percent <= 100
            ? percent
            : new ValueError($"{Quoted.Text(text)} is not a share in percent", "write a number from 0 to 100 and \"%\", such as \"10%\""))
    {
        TakesNumbers = false,
        Pattern = "^[0-9]{1,3}%$",
    };

    public static readonly TextType<LogTarget> Log = new("a target", "journal, inherit or file:/PATH", "journal", ReadLogTarget)
    {
        Pattern = "^(journal|inherit|file:/.+)$",
    };

    public static readonly TextType<string> Capability = new(
        "a capability", "a CAP_* name, capabilities(7)", "CAP_NET_ADMIN", ReadCapability)
    {
        Pattern = "^CAP_[A-Z_]+$",
    };

    /// <summary>What is wrong with the name of a listener or a service; null for a good one.</summary>
    public static ValueError? CheckName(string name)
    {
        const string Remedy = "write 1 to 64 of the characters A-Z a-z 0-9 _ . -";
        if (name is "." or "..")
        {
            return new ValueError($"{Quoted.Text(name)} is not a valid name: in a path it names a folder", Remedy);
        }

        return name.Length is >= 1 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-')
            ? null
            : new ValueError($"{Quoted.Text(name)} is not a valid name: LISTEN_FDNAMES and paths cannot contain it", Remedy);
    }

    public static IntegerType Integer(long min, long max) => new(min, max);

    public static DurationType Seconds(int min, int max) => new(TimeSpan.FromSeconds(min), TimeSpan.FromSeconds(max), wholeSeconds: true);

    public static ListType<T> ListOf<T>(SettingType<T> element) => new(element);

    private static bool IsHostNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_';

    private static ParseResult<ListenAddress> ReadAddress(string text, ConfigContext context)
    {
        if (ListenAddress.TryParse(text, out var address, out var error))
        {
            return address;
        }

        if (error.Name is not null)
        {
            var scheme = text[..(text.IndexOf("://", StringComparison.Ordinal) + 3)];
            var port = text[text.LastIndexOf(':')..];
            return HostNameFault(error.Name, error.Message, context, host => $"{scheme}{host}{port}");
        }

        return new ValueError(
            error.Message,
            "write an address such as tcp://127.0.0.1:8080, tcp://[::1]:8080, tcp://*:8080, unix:///run/api.sock, unix://@api "
            + "or vsock://*:1024");
    }

    private static ParseResult<string> ReadHostAndPort(string text, ConfigContext context)
    {
        const string Scheme = "tcp://";
        if (text.Contains("://", StringComparison.Ordinal))
        {
            return new ValueError($"{Quoted.Text(text)} has a scheme, and this setting takes HOST:PORT",
                "write it without the scheme, such as \"127.0.0.1:9469\"");
        }

        if (ListenAddress.TryParse(Scheme + text, out _, out var error))
        {
            return text;
        }

        if (!text.Contains(':', StringComparison.Ordinal))
        {
            return new ValueError($"{Quoted.Text(text)} has no port",
                "write a numeric address and a port, such as \"127.0.0.1:9469\" or \"[::1]:9469\"");
        }

        return error.Name is not null
            ? HostNameFault(error.Name, $"{Quoted.Text(error.Name)} is a host name, and a listener's address is numeric",
                context, host => host + text[text.LastIndexOf(':')..])
            : new ValueError($"{Quoted.Text(text)} is not a HOST:PORT: {error.Message.Replace(Scheme, "", StringComparison.Ordinal)}",
                "write a numeric address, such as \"127.0.0.1:9469\" or \"[::1]:9469\"");
    }

    /// <summary>A name may stand for several addresses, or for others tomorrow: the user chooses, and sees what there is.</summary>
    private static ValueError HostNameFault(string name, string message, ConfigContext context, Func<string, string> spell)
    {
        var addresses = context.Resolve(name);
        if (addresses is not { Count: > 0 })
        {
            return new ValueError(
                addresses is null ? message : $"{message}; {Quoted.Text(name)} does not resolve on this machine",
                $"write a numeric address, such as {spell("127.0.0.1")}, or {spell("*")} for every address of this machine");
        }

        var spelt = addresses.Select(a => a.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{a}]" : $"{a}")
            .Select(spell);
        return new ValueError(
            $"{message}; {Quoted.Text(name)} resolves to {string.Join(", ", addresses)}", $"write {string.Join(" or ", spelt)}");
    }

    private static ParseResult<string> ReadInterface(string text, ConfigContext context) =>
        text.Length is >= 1 and <= 15
            && text is not ("." or "..")
            && !text.Any(c => c is '/' or ':' || char.IsWhiteSpace(c) || char.IsControl(c))
            ? text
            : new ValueError(
                $"{Quoted.Text(text)} is not an interface name: it needs 1 to 15 characters without \"/\", \":\" or a space",
                "write a name that \"ip link\" shows, such as \"eth0\"");

    private static Func<string, ConfigContext, ParseResult<int>> ReadOctal(int max) => (text, _) =>
    {
        if (text.Length is < 3 or > 5 || text.Any(c => c is < '0' or > '7'))
        {
            return new ValueError($"{Quoted.Text(text)} is not octal", "write three or four digits from 0 to 7, such as \"0660\"");
        }

        var value = Convert.ToInt32(text, 8);
        return value <= max
            ? value
            : new ValueError(
                $"{Quoted.Text(text)} is out of range (0000 to {Convert.ToString(max, 8)})", "write permission bits such as \"0660\"");
    };

    private static Func<string, ConfigContext, ParseResult<string>> ReadAccount(string kind) => (text, _) =>
        CheckAccount(kind, text) is { } fault ? fault : text;

    private static ValueError? CheckAccount(string kind, string name)
    {
        if (name.Length == 0 || name.Any(c => c is ':' or '/' || char.IsWhiteSpace(c) || char.IsControl(c)))
        {
            return new ValueError($"{Quoted.Text(name)} is not a {kind}: it is empty or contains \":\", \"/\" or a space",
                $"write the {kind}'s name or number, such as \"www-data\"");
        }

        // 2^32 - 1 means "unchanged" to chown(2) and setresuid(2).
        return name.All(char.IsAsciiDigit)
            && (!uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id == uint.MaxValue)
            ? new ValueError(
                $"{Quoted.Text(name)} is out of range (0 to 4294967294)", $"write the {kind}'s name or number, such as \"www-data\"")
            : null;
    }

    private static ParseResult<string> ReadAllowEntry(string text, ConfigContext context)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var kind = colon < 0 ? "" : text[..colon];
        if (kind is not ("user" or "group"))
        {
            return new ValueError(
                $"{Quoted.Text(text)} is neither user:NAME nor group:NAME",
                colon < 0
                    ? $"write {Quoted.Text("user:" + text)} or {Quoted.Text("group:" + text)}"
                    : "write \"user:NAME\" or \"group:NAME\"");
        }

        return CheckAccount(kind, text[(colon + 1)..]) is { } fault ? fault : text;
    }

    private static ParseResult<string> ReadAbsolutePath(string text, ConfigContext context) => text.StartsWith('/')
        ? text
        : new ValueError($"{Quoted.Text(text)} is not an absolute path", "write a path that begins with \"/\", such as \"/srv/api\"");

    private static ParseResult<IPAddress> ReadNumericAddress(string text, ConfigContext context)
    {
        // Borrowed from listeners, so that the unusual forms (octal, 127.1) are rejected here too.
        var host = text.Contains(':', StringComparison.Ordinal) ? $"[{text}]" : text;
        return ListenAddress.TryParse($"udp://{host}:0", out var address, out _) && address is { Host: { } ip, Scope: null }
            ? ip
            : new ValueError($"{Quoted.Text(text)} is not a numeric address",
                "write an IPv4 or IPv6 address without brackets and port, such as \"239.1.2.3\" or \"ff05::1\"");
    }

    private static ParseResult<int> ReadSignal(string text, ConfigContext context)
    {
        if (SignalName.TryParse(text, out var signal))
        {
            return signal;
        }

        var all = Signals.Names;
        var near = Spelling.Nearest(text.ToUpperInvariant(), all) ?? Spelling.Nearest("SIG" + text.ToUpperInvariant(), all);
        return new ValueError(
            $"{Quoted.Text(text)} is not a signal: the names are {string.Join(", ", all)}, "
            + "SIGRTMIN+0 to SIGRTMIN+30 and SIGRTMAX-0 to SIGRTMAX-30",
            near is null ? "write a name, such as \"SIGTERM\"" : $"did you mean {Quoted.Text(near)}?");
    }

    private static ParseResult<LogTarget> ReadLogTarget(string text, ConfigContext context)
    {
        switch (text)
        {
            case "journal":
                return new LogTarget(LogTargetKind.Journal);
            case "inherit":
                return new LogTarget(LogTargetKind.Inherit);
        }

        const string File = "file:";
        if (!text.StartsWith(File, StringComparison.Ordinal))
        {
            return new ValueError(
                $"{Quoted.Text(text)} is not one of journal, inherit, file:/PATH",
                text.StartsWith('/') ? $"write {Quoted.Text(File + text)}" : "write \"journal\", \"inherit\" or \"file:/var/log/api.log\"");
        }

        var path = text[File.Length..];
        return path.StartsWith('/') && !path.EndsWith('/')
            ? new LogTarget(LogTargetKind.File, path)
            : new ValueError($"{Quoted.Text(path)} is not an absolute path of a file", "write \"file:/var/log/api.log\"");
    }

    private static ParseResult<string> ReadCapability(string text, ConfigContext context)
    {
        if (CapabilityNames.All.Contains(text))
        {
            return text;
        }

        var upper = text.ToUpperInvariant();
        var near = Spelling.Nearest(upper, CapabilityNames.All) ?? Spelling.Nearest("CAP_" + upper, CapabilityNames.All);
        return new ValueError(
            $"{Quoted.Text(text)} is not a capability",
            near is null ? "write a name of capabilities(7), such as \"CAP_NET_ADMIN\"" : $"did you mean {Quoted.Text(near)}?");
    }
}
