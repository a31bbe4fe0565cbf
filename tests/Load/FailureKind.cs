namespace Supervisor.Load;

/// <summary>How a request failed.</summary>
public enum FailureKind
{
    /// <summary>connect() was refused; on a UNIX socket also because of a full queue.</summary>
    Refused,

    /// <summary>The connection was reset, or broke during the send of the request.</summary>
    Reset,

    /// <summary>No complete answer within the plan's timeout.</summary>
    TimedOut,

    /// <summary>The server closed the connection without a byte of an answer.</summary>
    Unanswered,

    /// <summary>The server closed the connection within an answer.</summary>
    Truncated,

    /// <summary>A complete answer with a status other than 2xx, or an answer that is not HTTP.</summary>
    BadStatus,

    /// <summary>The generator had as many requests in flight as the plan allows, and did not start this one.</summary>
    Overrun,

    /// <summary>Any other failure, for example the client had no descriptor or port.</summary>
    Other,
}
