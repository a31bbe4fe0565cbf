namespace Supervisor.Control;

/// <summary>A draining worker's connections of one listener.</summary>
/// <param name="Name">The listener.</param>
/// <param name="Connections">The number of connections.</param>
public sealed record DrainListenerDocument(string Name, int Connections);
