using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Closes sockets that others have had in their hands, without letting them hold up the loop. Closing the last descriptor of a
/// socket can wait: a UNIX listener drops what clients have sent with SCM_RIGHTS and nobody has received, among which may be a
/// connection that lingers (SO_LINGER, socket(7)); and a worker can make a connection that lingers out of a TCP listener, by
/// shutdown() and connect().
/// </summary>
internal static class SocketCloser
{
    private const int StackBytes = 128 * 1024;

    /// <summary>How long the caller waits for the close: an address is free again when this returns, unless somebody holds it up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Closes them; they belong to this from now on. One that can wait is closed by a thread, which ends with the last of them.
    /// A process that exits does not linger (net/ipv4/af_inet.c, inet_release), so such a thread never holds up the daemon's end.
    /// </summary>
    public static void Close(IReadOnlyList<DescriptorHandle> sockets)
    {
        List<DescriptorHandle>? slow = null;
        foreach (var socket in sockets)
        {
            if (CanWait(socket))
            {
                (slow ??= []).Add(socket);
            }
            else
            {
                socket.Dispose();
            }
        }

        if (slow is not null)
        {
            var thread = new Thread(() => slow.ForEach(socket => socket.Dispose()), StackBytes) { IsBackground = true, Name = "closer" };
            thread.Start();
            thread.Join(Patience);
        }
    }

    /// <summary>The same of one.</summary>
    public static void Close(DescriptorHandle socket) => Close([socket]);

    /// <summary>An internet socket that listens, or takes datagrams, is closed at once. These three options take no lock of the socket (net/core/sock.c, sk_getsockopt).</summary>
    private static bool CanWait(DescriptorHandle socket) =>
        Sockets.GetInt32(socket, SOL_SOCKET, SO_DOMAIN, out var domain) is not null || domain == AF_UNIX
        || Sockets.GetInt32(socket, SOL_SOCKET, SO_TYPE, out var type) is not null
        || (type == SOCK_STREAM && (Sockets.GetInt32(socket, SOL_SOCKET, SO_ACCEPTCONN, out var listens) is not null || listens == 0));
}
