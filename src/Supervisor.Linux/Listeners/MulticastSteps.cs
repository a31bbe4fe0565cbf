using System.Buffers.Binary;
using System.Net.Sockets;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
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
            if (NetworkInterfaces.Index(@interface) is not { } known)
            {
                target.History.AddSetting(
                    HandlePhase.PreListen, "if_nametoindex", name, value, new SystemCallError("if_nametoindex", ENODEV),
                    $"no interface \"{@interface}\" in this network namespace: cannot join the group");
                return;
            }

            index = known;
        }

        var level = membership.Group.AddressFamily == AddressFamily.InterNetworkV6 ? IPPROTO_IPV6 : IPPROTO_IP;
        var error = Sockets.SetBytes(target.Descriptor, level, option, Encode(membership, index));
        target.History.AddSetting(
            HandlePhase.PreListen, "setsockopt", name, value, error,
            error?.Errno == ENODEV ? "no interface is named, and no route leads to the group: set interface" : null);
    }

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
