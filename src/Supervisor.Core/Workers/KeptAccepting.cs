namespace Supervisor.Core.Workers;

/// <summary>A draining worker that keeps accepting connections.</summary>
/// <param name="Listener">The listener's name.</param>
/// <param name="Evidence">The kind of evidence.</param>
/// <param name="Peer">With <see cref="AcceptingEvidence.Accepted"/>: the peer of the accepted connection, if that has an
/// address.</param>
/// <param name="After">The time since the stop signal, at least.</param>
public sealed record KeptAccepting(string Listener, AcceptingEvidence Evidence, ConnectionPeer? Peer, TimeSpan After);
