using System.Net;
using System.Net.Sockets;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Toml;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Validation;

/// <summary>What no setting of a listener shows alone: whether it fits the address, and the other listeners.</summary>
internal static class ListenerChecks
{
    public static void Check(IReadOnlyList<SectionReading<ListenerSpec>> listeners, DiagnosticList report)
    {
        var first = new Dictionary<string, SectionReading<ListenerSpec>>(StringComparer.Ordinal);
        foreach (var listener in listeners.Where(l => l.Given.ContainsKey("address")))
        {
            CheckApplicability(listener, report);
            CheckMulticast(listener, report);
            CheckDuplicate(listener, first, report);
        }
    }

    private static void CheckApplicability(SectionReading<ListenerSpec> listener, DiagnosticList report)
    {
        foreach (var given in listener.Given.Values.Where(g => !g.RepeatsDefault))
        {
            if (given.Setting.Refusal?.Invoke(listener.Spec) is { } fault)
            {
                var value = given.Node.Shown is { } shown ? $"{shown} {fault.Message}" : fault.Message;
                report.Add(given.Node.Position, given.Path, value, fault.Remedy);
            }
        }
    }

    private static void CheckMulticast(SectionReading<ListenerSpec> listener, DiagnosticList report)
    {
        var address = listener.Spec.Address;
        if (address.Kind != ListenerKind.Udp || !listener.Given.TryGetValue("datagram.multicast", out var given))
        {
            return;
        }

        for (var i = 0; i < given.Node.Items.Count; i++)
        {
            var (group, _, source) = listener.Spec.Datagram.Multicast[i];
            var groupNode = given.Node.Items[i].Find("group")!.Value;
            var sourceNode = given.Node.Items[i].Find("source")?.Value;
            if (!IsMulticast(group))
            {
                Report(groupNode, "group", $"{groupNode.Shown} is no multicast address",
                    "write one of 224.0.0.0 to 239.255.255.255, or of ff00::/8");
            }
            else if (address.Host is { } host && host.AddressFamily != group.AddressFamily)
            {
                Report(
                    groupNode, "group", $"{groupNode.Shown} is an {Family(group)} group, and {address} an {Family(host)} address",
                    $"write an {Family(host)} group, or an {Family(group)} address");
            }

            if (source is null || sourceNode is null)
            {
                continue;
            }

            if (source.AddressFamily != group.AddressFamily)
            {
                Report(
                    sourceNode, "source",
                    $"{sourceNode.Shown} is an {Family(source)} address, and the group {group} an {Family(group)} one",
                    $"write an {Family(group)} source");
            }
            else if (IsMulticast(source))
            {
                Report(sourceNode, "source", $"{sourceNode.Shown} is a multicast address, and a sender has a unicast one",
                    "write the sender's own address");
            }
        }

        void Report(TomlNode node, string key, string message, string remedy) =>
            report.Add(node.Position, $"{given.Path}.{key}", message, remedy);
    }

    private static void CheckDuplicate(
        SectionReading<ListenerSpec> listener,
        Dictionary<string, SectionReading<ListenerSpec>> first,
        DiagnosticList report)
    {
        var spec = listener.Spec;
        if (Claim(spec) is not { } claim || first.TryAdd(claim, listener))
        {
            return;
        }

        // Where one of the two would share and the other not, the kernel's refusal is explained when it happens.
        // One that is defined twice is reported as that.
        var other = first[claim];
        if (MayShare(spec) || MayShare(other.Spec) || other.Spec.Name == spec.Name)
        {
            return;
        }

        var node = listener.NodeOf("address");
        report.Add(
            node.Position,
            node.SettingName ?? $"{listener.Path}.address",
            $"{spec.Address} is also the address of listener {Quoted.Text(other.Spec.Name)} "
            + $"at {other.NodeOf("address").Position} (duplicate-in-config)",
            spec.Address.Kind.IsInternet()
                ? "give one of the two another address, or both bind.reuse_port = true"
                : "give one of the two another address");
    }

    /// <summary>What two listeners cannot both have; null for a port that the kernel chooses.</summary>
    private static string? Claim(ListenerSpec spec)
    {
        var address = spec.Address;
        if (address.Kind.IsInternet() && address.Port == 0)
        {
            return null;
        }

        if (address.Kind == ListenerKind.Vsock && address.Port == ListenAddress.VsockAny)
        {
            return null;
        }

        // MPTCP shares TCP's ports, and the UNIX kinds share the file system; abstract names are apart for each type.
        var text = address.ToString();
        var space = address.Kind switch
        {
            ListenerKind.Mptcp => ListenerKind.Tcp.Scheme(),
            _ when address is { Path: not null, IsAbstract: false } => "path",
            var kind => kind.Scheme(),
        };
        return $"{space} {text[text.IndexOf("://", StringComparison.Ordinal)..]} {spec.Bind.Device}";
    }

    private static bool MayShare(ListenerSpec spec) =>
        spec.Bind.ReusePort || spec.Shards > 1 || (spec.Address.Kind == ListenerKind.Udp && spec.Bind.ReuseAddress == true);

    private static bool IsMulticast(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6
        ? address.IsIPv6Multicast
        : address.GetAddressBytes()[0] is >= 224 and <= 239;

    private static string Family(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";
}
