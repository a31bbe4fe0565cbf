using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// SO_REUSEADDR, SO_REUSEPORT and IPV6_V6ONLY of another process's socket. The kernel does not list them. With the right to
/// trace a holder, the daemon borrows its descriptor (pidfd_getfd(2), Linux 5.6) and reads the socket. Otherwise a bind as the
/// same user with SO_REUSEPORT shows that flag: it succeeds only if the other socket has it too.
/// </summary>
internal static class SharingFlags
{

    /// <summary>The most sockets that are read one by one: a group of thousands of shards has the same flags in each.</summary>
    private const int MostAsked = 64;

    /// <summary>Fills in the flags that can be found.</summary>
    public static void Find(List<SocketHolder> holders, List<OpenFiles.Found> descriptors, ListenerSpec spec, uint uid)
    {
        var where = descriptors.GroupBy(found => found.Inode).ToDictionary(group => group.Key, group => group.ToList());
        var asked = 0;
        for (var i = 0; i < holders.Count && asked < MostAsked; i++)
        {
            if (holders[i].Socket is { } socket && where.TryGetValue(holders[i].Inode, out var places))
            {
                asked++;
                foreach (var place in places)
                {
                    if (Read(place, socket) is { } known)
                    {
                        holders[i] = holders[i] with { Socket = known, FlagsKnown = true };
                        break;
                    }
                }
            }
        }

        // A trial bind lasts for a moment. For UDP it would receive traffic, so it is not done.
        var unknown = holders.FindAll(holder => holder is { State: BoundState.Listening, FlagsKnown: false, Socket.Space: PortSpace.Tcp });
        if (unknown.Count == 0 || unknown.Exists(holder => holder.Uid != unknown[0].Uid)
            || (unknown[0].Uid != uid && Processes.EffectiveUid != 0))
        {
            return;
        }

        var withReusePort = spec with { Bind = spec.Bind with { ReusePort = true }, Shards = 1 };
        var before = Processes.SetFileSystemUid(unknown[0].Uid);
        var refused = BindProbe.Ask(withReusePort, out _);
        Processes.SetFileSystemUid(before);
        if (refused is null && BindProbe.Ask(spec, out _) is null)
        {
            // The address is also free without the flag: the holder has exited in the meantime, and its flag is unknown.
            return;
        }

        // A refusal may come from another of the sockets; a success needs the flag on all of them.
        if (refused is null || (refused.Name == "EADDRINUSE" && unknown.Count == 1 && holders.Count == 1))
        {
            for (var i = 0; i < holders.Count; i++)
            {
                if (unknown.Contains(holders[i]))
                {
                    holders[i] = holders[i] with { Socket = holders[i].Socket! with { ReusePort = refused is null }, FlagsKnown = true };
                }
            }
        }
    }

    private static BoundSocket? Read(OpenFiles.Found place, BoundSocket socket)
    {
        using var borrowed = OpenFiles.Borrow(place.Pid, place.Descriptor);
        if (borrowed is null
            || Files.GetStatus(borrowed, out var status) is not null || status.Inode != place.Inode
            || Sockets.GetInt32(borrowed, SOL_SOCKET, SocketOptions.ReuseAddress.Number, out var reuseAddress) is not null
            || Sockets.GetInt32(borrowed, SOL_SOCKET, SocketOptions.ReusePort.Number, out var reusePort) is not null)
        {
            return null;
        }

        var v6Only = 0;
        if (socket.IsIPv6)
        {
            Sockets.GetInt32(borrowed, IPPROTO_IPV6, SocketOptions.V6Only.Number, out v6Only);
        }

        return socket with { ReuseAddress = reuseAddress != 0, ReusePort = reusePort != 0, V6Only = v6Only != 0 };
    }
}
