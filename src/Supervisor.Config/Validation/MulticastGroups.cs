using System.Net;
using System.Net.Sockets;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Toml;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Validation;

/// <summary>Each multicast membership has a multicast group and a unicast source, both of the family of the listener's address.</summary>
internal static class MulticastGroups
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from listener in config.Listeners
        where listener.Given.ContainsKey("address") && listener.Spec.Address.Kind == ListenerKind.Udp
        where listener.Given.ContainsKey("datagram.multicast")
        from found in Check(listener.Spec, listener.Given["datagram.multicast"])
        select found;

    private static IEnumerable<ConfigDiagnostic> Check(ListenerSpec spec, GivenSetting<ListenerSpec> given)
    {
        for (var i = 0; i < given.Node.Items.Count; i++)
        {
            var (group, _, source) = spec.Datagram.Multicast[i];
            var groupNode = given.Node.Items[i].Find("group")!.Value;
            if (WrongGroup(groupNode, group, spec.Address) is var (message, remedy))
            {
                yield return groupNode.Diagnostic($"{given.Path}.group", message, remedy);
            }

            if (source is not null
                && given.Node.Items[i].Find("source")?.Value is { } sourceNode
                && WrongSource(sourceNode, source, group) is var (wrong, mend))
            {
                yield return sourceNode.Diagnostic($"{given.Path}.source", wrong, mend);
            }
        }
    }

    private static (string Message, string Remedy)? WrongGroup(TomlNode node, IPAddress group, ListenAddress address) =>
        !group.IsMulticast()
            ? ($"{node.Shown} is not a multicast address", "write an address from 224.0.0.0 to 239.255.255.255, or in ff00::/8")
        : address.Host is { } host && host.AddressFamily != group.AddressFamily
            ? (
                $"{node.Shown} is an {Family(group)} group, and {address} is an {Family(host)} address",
                $"write an {Family(host)} group, or an {Family(group)} address")
        : null;

    private static (string Message, string Remedy)? WrongSource(TomlNode node, IPAddress source, IPAddress group) =>
        source.AddressFamily != group.AddressFamily
            ? (
                $"{node.Shown} is an {Family(source)} address, and the group {group} is an {Family(group)} group",
                $"write an {Family(group)} source")
        : source.IsMulticast()
            ? ($"{node.Shown} is a multicast address, and a sender has a unicast address", "write the sender's unicast address")
        : null;

    private static string Family(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";
}
