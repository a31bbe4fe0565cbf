namespace Supervisor.Core.Protocols;

/// <summary>Why the broker rejects a request.</summary>
public enum BrokerErrorCode
{
    /// <summary>There is no such handle, or it has no socket.</summary>
    NotFound,

    /// <summary>The client may not do this.</summary>
    Denied,

    /// <summary>The request is malformed.</summary>
    Invalid,

    /// <summary>The request is larger than <see cref="BrokerRequest.MaxBytes"/>.</summary>
    TooLarge,

    /// <summary>A limit of connections or descriptors is reached; a later attempt may succeed.</summary>
    Busy,
}
