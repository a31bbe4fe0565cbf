using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// Closes sockets in whose queues untrusted processes may have left descriptors: at once if the queue is empty, otherwise by
/// the <see cref="Disposer"/>. On the loop.
/// </summary>
public static class SocketDisposal
{
    /// <summary>How many messages are read from a socket that is to be closed.</summary>
    private const int MostLeftMessages = 64;

    /// <summary>
    /// Closes a socket that may have unread messages of untrusted processes, and the descriptors in them. A socket without
    /// messages is closed at once. No process can send to the socket afterwards, even if another process holds it.
    /// </summary>
    public static void CloseSocket(this Disposer disposer, string owner, DescriptorHandle socket)
    {
        if (IsEmptied(socket))
        {
            socket.Dispose();
        }
        else
        {
            disposer.Close(owner, [socket]);
        }
    }

    /// <summary>Closes a listening packet or stream socket and the connections in its queue.</summary>
    public static void CloseListener(this Disposer disposer, string owner, DescriptorHandle listener)
    {
        // From now on connect() fails (net/unix/af_unix.c, unix_stream_connect), so the queue does not grow.
        Sockets.ShutReading(listener);
        SystemCallError? error;
        while (Sockets.Accept(listener, nonBlocking: true, out error) is { } accepted)
        {
            disposer.CloseSocket(owner, accepted);
        }

        // EINVAL: the queue is empty (net/unix/af_unix.c, unix_accept).
        if (error is null or { Errno: EINVAL })
        {
            listener.Dispose();
        }
        else
        {
            disposer.Close(owner, [listener]);
        }
    }

    /// <summary>Whether the socket has no more messages with descriptors: all were read, and no more can arrive.</summary>
    private static bool IsEmptied(DescriptorHandle socket)
    {
        // Credentials distinguish an empty message from the end of a connection.
        if (Sockets.SetInt32(socket, SOL_SOCKET, SO_PASSCRED, 1) is not null || Sockets.ShutReading(socket) is not null)
        {
            return false;
        }

        Span<byte> data = stackalloc byte[1];
        for (var left = MostLeftMessages; left > 0; left--)
        {
            var length = Sockets.Peek(socket, withCredentials: true, data, out _, out var sender, out _, out var carries, out var error);
            if (length < 0)
            {
                return error is null;
            }

            if (carries)
            {
                return false;
            }

            if (length == 0 && sender == uint.MaxValue)
            {
                return true;
            }

            Sockets.Remove(socket);
        }

        return false;
    }
}
