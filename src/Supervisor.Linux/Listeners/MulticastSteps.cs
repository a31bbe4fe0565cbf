using System.Buffers.Binary;
using System.Net.Sockets;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>Joining and leaving multicast groups, recorded. A refusal does not fail the listener.</summary>
internal static class MulticastSteps
{
    /// <summary>MCAST_JOIN_GROUP or MCAST_JOIN_SOURCE_GROUP.</summary>
    public static void Join(SocketTarget target, MulticastMembership membership) => Change(
        target, membership, "JOIN", membership.Source is null ? MCAST_JOIN_GROUP : MCAST_JOIN_SOURCE_GROUP);

    /// <summary>MCAST_LEAVE_GROUP or MCAST_LEAVE_SOURCE_GROUP.</summary>
    public static void Leave(SocketTarget target, MulticastMembership membership) => Change(
        target, membership, "LEAVE", membership.Source is null ? MCAST_LEAVE_GROUP : MCAST_LEAVE_SOURCE_GROUP);

    private static void Change(SocketTarget target, MulticastMembership membership, string verb, int option)
    {
        var name = $"MCAST_{verb}_{(membership.Source is null ? "" : "SOURCE_")}GROUP";
        var source = membership.Source is null ? "" : $" from {membership.Source}";
        var value = OptionValue.Of($"{membership.Group}{source}{(membership.Interface is null ? "" : $" on {membership.Interface}")}");
        uint index = 0;
        if (membership.Interface is { } @interface)
        {
            if (NamespaceCall.InterfaceIndex(target.Spec.NetworkNamespace, @interface) is not { } known)
            {
                target.History.AddSetting(
                    HandlePhase.PreListen, "if_nametoindex", name, value, new SystemCallError("if_nametoindex", ENODEV),
                    $"no interface \"{@interface}\" in this network namespace: cannot join the group");
                return;
            }

            index = known;
        }

        var error = Set(target.Descriptor, membership, option, index);
        if (error is null && verb == "JOIN")
        {
            target.Handle.JoinedOn[membership] = index;
        }

        target.History.AddSetting(
            HandlePhase.PreListen, "setsockopt", name, value, error,
            error?.Errno == ENODEV ? "no interface is named, and no route leads to the group: set interface" : null);
    }

    /// <summary>
    /// Joins again if an interface was deleted and made again: the membership belongs to the interface's number. Nothing is done,
    /// or recorded, while it still holds (EADDRINUSE).
    /// </summary>
    public static void Renew(SocketTarget target, MulticastMembership membership)
    {
        var index = membership.Interface is { } name ? NetworkInterfaces.Index(target.Descriptor, name) : 0;
        var known = target.Handle.JoinedOn.TryGetValue(membership, out var before);
        if (index is not { } now || (known && before == now && now != 0))
        {
            return;
        }

        if (known && before != 0)
        {
            // It counts against net.ipv4.igmp_max_memberships until it is left.
            Set(target.Descriptor, membership, membership.Source is null ? MCAST_LEAVE_GROUP : MCAST_LEAVE_SOURCE_GROUP, before);
        }

        var error = Set(target.Descriptor, membership, membership.Source is null ? MCAST_JOIN_GROUP : MCAST_JOIN_SOURCE_GROUP, now);
        if (error is null)
        {
            var why = membership.Interface is null
                ? "the route leads to another interface"
                : $"interface {membership.Interface} was made again";
            target.History.AddSetting(
                HandlePhase.Repair, "setsockopt", "MCAST_JOIN_GROUP", OptionValue.Of($"{membership.Group}"), null, $"joined again: {why}");
        }

        if (error is null || known || error.Value.Errno is EADDRINUSE)
        {
            target.Handle.JoinedOn[membership] = now;
        }
    }

    private static SystemCallError? Set(DescriptorHandle socket, MulticastMembership membership, int option, uint index) =>
        Sockets.SetBytes(
            socket, membership.Group.AddressFamily == AddressFamily.InterNetworkV6 ? IPPROTO_IPV6 : IPPROTO_IP, option,
            Encode(membership, index));

    /// <summary>struct group_req or group_source_req, linux/in.h: the interface's number, padding, then a sockaddr_storage each.</summary>
    private static byte[] Encode(MulticastMembership membership, uint index)
    {
        var request = new byte[8 + (Sockaddr.MaxLength * (membership.Source is null ? 1 : 2))];
        BinaryPrimitives.WriteUInt32LittleEndian(request, index);
        Sockaddr.Encode(membership.Group, 0).CopyTo(request, 8);
        if (membership.Source is { } source)
        {
            Sockaddr.Encode(source, 0).CopyTo(request, 8 + Sockaddr.MaxLength);
        }

        return request;
    }
}
