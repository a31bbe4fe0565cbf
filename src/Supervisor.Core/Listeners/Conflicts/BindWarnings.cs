using System.Collections.Immutable;
using System.Globalization;
using System.Net;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>Warnings about an address that can be bound.</summary>
public static class BindWarnings
{
    /// <summary>The warnings, a sentence each.</summary>
    /// <param name="spec">The specification.</param>
    /// <param name="maximumBacklog">net.core.somaxconn; null if it cannot be read.</param>
    /// <param name="ephemeral">net.ipv4.ip_local_port_range; null if it cannot be read.</param>
    /// <param name="reserved">net.ipv4.ip_local_reserved_ports; null if it cannot be read.</param>
    /// <param name="isFull">Whether the file system of the address's path has no free space.</param>
    public static ImmutableArray<string> For(
        ListenerSpec spec, long? maximumBacklog, (int Low, int High)? ephemeral, string? reserved, bool isFull = false)
    {
        var address = spec.Address;
        var warnings = ImmutableArray.CreateBuilder<string>();
        if (address.Kind.IsInternet() && address.Port != 0 && ephemeral is var (low, high)
            && address.Port >= low && address.Port <= high && !IsReserved((int)address.Port, reserved))
        {
            warnings.Add(
                $"port {address.Port} is in net.ipv4.ip_local_port_range ({low} to {high}): "
                + "an outgoing connection may have it when the listener starts; "
                + "reserve it with net.ipv4.ip_local_reserved_ports");
        }

        if (address.Kind.Listens() && spec.Listen.Backlog > maximumBacklog)
        {
            warnings.Add($"a backlog of {spec.Listen.Backlog} is capped by net.core.somaxconn = {maximumBacklog}");
        }

        if (address.Kind.IsInternet() && !spec.Bind.IPv6Only && (address.IsAnyFamily || IPAddress.IPv6Any.Equals(address.Host)))
        {
            warnings.Add($"{address} also accepts IPv4 (dual-stack), unless bind.ipv6_only = true");
        }

        if (isFull)
        {
            warnings.Add(
                $"the file system of {address.Path} has no free space: the file cannot be made if its directory has to grow "
                + $"(df {Path.GetDirectoryName(address.Path)})");
        }

        return warnings.ToImmutable();
    }

    /// <summary>Parses the sysctl's two numbers.</summary>
    public static (int Low, int High)? ParseRange(string? text) =>
        text?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [{ } low, { } high] ? (Number(low), Number(high)) : null;

    /// <summary>Parses the sysctl's form: "8080,9000-9100".</summary>
    private static bool IsReserved(int port, string? reserved)
    {
        foreach (var part in (reserved ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var ends = part.Split('-');
            if (port >= Number(ends[0]) && port <= Number(ends[^1]))
            {
                return true;
            }
        }

        return false;
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
