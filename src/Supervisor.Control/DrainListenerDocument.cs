namespace Supervisor.Control;

/// <summary>Connections of one listener.</summary>
/// <param name="Name">The listener.</param>
/// <param name="Connections">How many.</param>
public sealed record DrainListenerDocument(string Name, int Connections);
