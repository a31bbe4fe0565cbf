using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Workers;

/// <summary>What the workers of one generation are spawned with, besides their specification.</summary>
/// <param name="Listeners">Their sockets, in descriptor order.</param>
/// <param name="Identity">Whom they run as; null until that has been looked up.</param>
internal sealed record GenerationResources(IReadOnlyList<ListenerHandle> Listeners, WorkerIdentity? Identity);
