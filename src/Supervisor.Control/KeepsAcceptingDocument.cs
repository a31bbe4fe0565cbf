namespace Supervisor.Control;

/// <summary>A worker that accepts new connections after its stop signal.</summary>
/// <param name="Listener">The listener on which it accepts.</param>
/// <param name="Evidence">accepted: it has a connection that it did not have in an earlier sample; waiting: it waited for
/// connections in more than one sample.</param>
/// <param name="Peer">With accepted: the peer of that connection, if it has an address.</param>
/// <param name="AfterMs">Minimum time between the stop signal and this, in milliseconds.</param>
public sealed record KeepsAcceptingDocument(string Listener, string Evidence, string? Peer, long AfterMs);
