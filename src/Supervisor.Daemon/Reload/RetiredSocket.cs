using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reload;

/// <summary>A socket that is no longer configured. It stays open until no worker has it or may get it.</summary>
/// <param name="Former">The handle of the socket.</param>
/// <param name="Successor">The handle of the same listener's new socket; null: the listener is removed.</param>
/// <param name="Bridge">Selects which of the two sockets gets new connections; null if the kernel offers no such choice.</param>
internal sealed record RetiredSocket(ListenerHandle Former, ListenerHandle? Successor, ISocketBridge? Bridge);
