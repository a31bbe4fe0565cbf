namespace Supervisor.Core.Protocols;

/// <summary>Why the broker refuses.</summary>
public enum BrokerErrorCode
{
    /// <summary>There is no such handle, or it has no socket now.</summary>
    NotFound,

    /// <summary>Not for the one who asks.</summary>
    Denied,

    /// <summary>The request is none.</summary>
    Invalid,

    /// <summary>The request is larger than <see cref="BrokerRequest.MaxBytes"/>.</summary>
    TooLarge,

    /// <summary>A bound is reached: of connections, or of descriptors. Later it may go.</summary>
    Busy,
}
