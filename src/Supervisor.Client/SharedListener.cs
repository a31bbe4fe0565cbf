using System.Net.Sockets;

namespace Supervisor.Client;

/// <summary>
/// A listener that somebody else made and that other processes hold too. <see cref="Socket"/> belongs to whoever took it,
/// who disposes of it to cease to accept; its descriptor is close-on-exec.
/// </summary>
/// <param name="Name">Its name: that of the configuration's section; <c>unknown</c> where the supervisor gave none.</param>
/// <param name="Socket">
/// The socket. Accept asynchronously: a synchronous Accept() under way makes Dispose() call shutdown(2), which acts on the
/// socket of all holders and resets what waits in its queue.
/// </param>
public sealed record SharedListener(string Name, Socket Socket) : IDisposable
{
    /// <summary>Closes this process's descriptor; the listener itself stays with its other holders.</summary>
    public void Dispose() => Socket.Dispose();
}
