namespace Supervisor.Core.Workers;

/// <summary>The evidence that a draining worker accepts connections. See <see cref="WorkerDrain"/>.</summary>
public enum AcceptingEvidence
{
    /// <summary>
    /// It has a connection that it did not have in an earlier sample, which was taken well after the stop signal.
    /// </summary>
    Accepted,

    /// <summary>Several samples found it waiting for connections.</summary>
    Waiting,
}
