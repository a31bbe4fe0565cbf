namespace Supervisor.Core.Workers;

/// <summary>A draining worker that keeps accepting connections.</summary>
/// <param name="Listener">On which listener.</param>
/// <param name="Evidence">By what it is known.</param>
/// <param name="Peer">Of <see cref="AcceptingEvidence.Accepted"/>: whose connection it took, where that has an address.</param>
/// <param name="After">How long after it was asked, at the least.</param>
public sealed record KeptAccepting(string Listener, AcceptingEvidence Evidence, ConnectionPeer? Peer, TimeSpan After);
