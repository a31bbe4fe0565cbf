namespace Supervisor.Core.Services;

/// <summary>The accepted connection of a worker with <see cref="StartMode.PerConnection"/>.</summary>
/// <param name="Listener">The listener that accepted it.</param>
/// <param name="Source">Whose connection it is, for <c>max_connections_per_source</c>: an address, a vsock CID, or a user.</param>
/// <param name="Address">The peer's address as in REMOTE_ADDR, systemd.exec(5); null if it has none.</param>
/// <param name="Port">The peer's port as in REMOTE_PORT; null if it has none.</param>
/// <param name="Cookie">SO_COOKIE, unique on this host until it reboots, socket(7); 0 if the kernel does not tell.</param>
public sealed record WorkerConnection(string Listener, string Source, string? Address, uint? Port, ulong Cookie)
{
    /// <summary>The peer in words.</summary>
    public override string ToString() => Address is null ? Source
        : Port is null ? Address
        : Address.Contains(':', StringComparison.Ordinal) ? $"[{Address}]:{Port}" : $"{Address}:{Port}";
}
