namespace Supervisor.Core.Listeners.Options;

/// <summary>Converts a setting to an option's value; null if the configuration does not set it.</summary>
internal static class SettingValue
{
    private static readonly AcceptedOptions NothingAccepted = new();

    public static OptionValue? Flag(bool? value) => value is { } flag ? OptionValue.Of(flag) : null;

    /// <summary>A flag that can only be set, not cleared.</summary>
    public static OptionValue? Enable(bool value) => value ? OptionValue.Of(true) : null;

    public static OptionValue? Number(long? value) => value is { } number ? OptionValue.Of(number) : null;

    public static OptionValue? Name(string? value) => value is { } name ? OptionValue.Of(name) : null;

    public static OptionValue? Seconds(TimeSpan? value) => Number((long?)value?.TotalSeconds);

    public static OptionValue? Milliseconds(TimeSpan? value) => Number((long?)value?.TotalMilliseconds);

    /// <summary>The settings of accepted connections; none for a kind that accepts no TCP connection.</summary>
    public static AcceptedOptions Accepted(ListenerSpec spec) => spec.Address.Kind.SpeaksTcp() ? spec.Accepted : NothingAccepted;

    /// <summary>The value, if IPv4 traffic arrives on the socket: an IPv4 socket, a dual-stack [::], or a mapped address.</summary>
    public static OptionValue? IfIPv4(ListenerSpec spec, SocketDomain domain, OptionValue? value) =>
        domain == SocketDomain.IPv4
        || (domain == SocketDomain.IPv6 && !spec.Bind.IPv6Only && (spec.Address.IsWildcard || spec.Address.Host!.IsIPv4MappedToIPv6))
            ? value
            : null;
}
