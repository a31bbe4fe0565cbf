using System.Net.Sockets;
using Supervisor.Core.Listeners;

namespace Supervisor.Linux.Probes;

/// <summary>
/// <c>tcp</c>: the worker accepts a connection. The probe sends nothing, so with <c>listen.defer_accept</c> the kernel holds the
/// connection back for that time. If the connection is closed before its owner is found, the worker counts if it
/// <paramref name="waits"/> for connections.
/// </summary>
internal sealed class TcpProbe(object owner, Func<int> pid, string listener, ListenAddress address, Func<int> others, AcceptProbe waits)
    : ListenerProbe(owner, pid, listener, address, others)
{
    /// <inheritdoc/>
    protected override string Question => "a connection";

    /// <inheritdoc/>
    protected override ReadOnlyMemory<byte> Opening => default;

    /// <inheritdoc/>
    protected override Task<string?> AskAsync(Socket connection, bool isOpened, CancellationToken end) => Task.FromResult<string?>(null);

    /// <inheritdoc/>
    protected override Task<string?> AskUnknownAsync(Socket connection, CancellationToken end) => waits.ProbeAsync(end);
}
