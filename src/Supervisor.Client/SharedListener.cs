using System.Net.Sockets;

namespace Supervisor.Client;

/// <summary>
/// A listener that the supervisor made and that other processes hold too. The caller owns <see cref="Socket"/> and disposes
/// it to stop accepting. Its descriptor is close-on-exec.
/// </summary>
/// <param name="Name">Its name in the configuration; <c>unknown</c> if the supervisor passed none.</param>
/// <param name="Socket">
/// The socket. Accept asynchronously: during a synchronous Accept(), Dispose() calls shutdown(2), which affects the socket
/// of all holders and resets the connections in its queue.
/// </param>
public sealed record SharedListener(string Name, Socket Socket) : IDisposable
{
    /// <summary>Closes the descriptor of this process; the other holders keep the listener.</summary>
    public void Dispose() => Socket.Dispose();
}
