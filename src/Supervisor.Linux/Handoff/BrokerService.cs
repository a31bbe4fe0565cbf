namespace Supervisor.Linux.Handoff;

/// <summary>A service, as far as the broker asks.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Listeners">Names of the listeners that it lists.</param>
public sealed record BrokerService(string Name, IReadOnlyCollection<string> Listeners);
