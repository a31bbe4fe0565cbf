namespace Supervisor.Load;

/// <summary>What became of a request that was not answered as it should have been.</summary>
public enum FailureKind
{
    /// <summary>connect() found nobody listening, or on a UNIX socket a full queue.</summary>
    Refused,

    /// <summary>The connection was reset, or broke while the request was written.</summary>
    Reset,

    /// <summary>No complete answer within the plan's timeout.</summary>
    TimedOut,

    /// <summary>The connection was closed in good order, without one byte of an answer.</summary>
    Unanswered,

    /// <summary>The connection was closed in the middle of an answer.</summary>
    Truncated,

    /// <summary>A complete answer with another status than 2xx, or one that is not HTTP.</summary>
    BadStatus,

    /// <summary>The generator had as many requests in flight as the plan allows, and did not start this one.</summary>
    Overrun,

    /// <summary>Anything else: the client's own lack of descriptors or ports, say.</summary>
    Other,
}
