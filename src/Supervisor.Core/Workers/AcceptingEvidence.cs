namespace Supervisor.Core.Workers;

/// <summary>By what it is known that a worker accepts though it was asked to leave. See <see cref="WorkerDrain"/>.</summary>
public enum AcceptingEvidence
{
    /// <summary>It has a connection that it did not have at an earlier look, when it had long been asked.</summary>
    Accepted,

    /// <summary>It was seen to wait for connections, again and again.</summary>
    Waiting,
}
