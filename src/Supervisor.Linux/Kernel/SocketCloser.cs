using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Closes sockets that other processes have used, without blocking the loop. Closing the last descriptor of a socket can block.
/// A UNIX listener closes the descriptors in unreceived messages (SCM_RIGHTS), which may include a connection that lingers
/// (SO_LINGER, socket(7)). A worker can turn a TCP listener into a connection that lingers, by shutdown() and connect().
/// </summary>
internal static class SocketCloser
{
    private const int StackBytes = 128 * 1024;

    /// <summary>
    /// How long the caller waits for the close. When the call returns, the address is free, unless the close blocks for longer.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Closes the sockets, which this class owns from now on. A thread closes those that can block, and exits with the last
    /// one. An exiting process does not linger (net/ipv4/af_inet.c, inet_release), so such a thread never delays the daemon's
    /// exit.
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
            var closed = new ManualResetEventSlim();
            BackgroundThread.Start("closer", StackBytes, () =>
            {
                slow.ForEach(static socket => socket.Dispose());
                closed.Set();
            });
            closed.Wait(Patience);
        }
    }

    /// <summary>Closes one socket.</summary>
    public static void Close(DescriptorHandle socket) => Close([socket]);

    /// <summary>
    /// An internet socket that listens, or receives datagrams, closes without blocking. These three options take no socket lock
    /// (net/core/sock.c, sk_getsockopt).
    /// </summary>
    private static bool CanWait(DescriptorHandle socket) =>
        Sockets.GetInt32(socket, SOL_SOCKET, SO_DOMAIN, out var domain) is not null || domain == AF_UNIX
        || Sockets.GetInt32(socket, SOL_SOCKET, SO_TYPE, out var type) is not null
        || (type == SOCK_STREAM && (Sockets.GetInt32(socket, SOL_SOCKET, SO_ACCEPTCONN, out var listens) is not null || listens == 0));
}
