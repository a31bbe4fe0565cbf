namespace Supervisor.Linux.Handoff;

/// <summary>A service, as far as the broker needs it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Listeners">Names of its listeners.</param>
public sealed record BrokerService(string Name, IReadOnlyCollection<string> Listeners);
