namespace Supervisor.Control;

/// <summary>That a worker accepts new connections though it was sent its stop signal.</summary>
/// <param name="Listener">On which listener.</param>
/// <param name="Evidence">accepted: it has a connection that it did not have at an earlier look; waiting: it was seen to wait for
/// connections, more than once.</param>
/// <param name="Peer">Of accepted: the other end of that connection, where it has an address.</param>
/// <param name="AfterMs">How many milliseconds after its stop signal that was, at the least.</param>
public sealed record KeepsAcceptingDocument(string Listener, string Evidence, string? Peer, long AfterMs);
