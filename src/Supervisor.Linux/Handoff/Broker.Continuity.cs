using Supervisor.Core.State;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Handoff;

/// <summary>Clients of the broker while the daemon is succeeded.</summary>
public sealed partial class Broker
{
    /// <summary>
    /// The connections for a successor that goes on in this very moment: what they have asked and was not heard is asked of
    /// it. One whose answer waits for room is cut, and sees an end where it was promised more.
    /// </summary>
    public void Keep(OutgoingDescriptors descriptors)
    {
        var index = 0;
        foreach (var connection in _connections.Where(connection => connection.IsHeard))
        {
            descriptors.Add(DescriptorKey.BrokerClient(index++), connection.Socket);
        }
    }

    /// <summary>
    /// Closes those connections that <see cref="Keep"/> leaves out, before execve() does: what waits unread in them is
    /// dropped by whoever closes.
    /// </summary>
    public void CloseOthers()
    {
        foreach (var connection in _connections.Where(connection => !connection.IsHeard).ToArray())
        {
            Close(connection);
        }
    }

    /// <summary>Goes on with a predecessor's connections.</summary>
    public void Adopt(IncomingDescriptors descriptors)
    {
        for (var index = 0; descriptors.TryTake(DescriptorKey.BrokerClient(index), out var socket); index++)
        {
            if (BrokerPeer.Of(socket) is { } peer)
            {
                Add(socket, peer);
            }
            else
            {
                _disposer.CloseSocket("broker", socket);
            }
        }
    }
}
