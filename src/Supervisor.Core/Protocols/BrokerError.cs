using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.Protocols;

/// <summary>A refusal of the broker.</summary>
/// <param name="Code">The kind of it.</param>
/// <param name="Message">What it is about, and the remedy; for people.</param>
public sealed record BrokerError(BrokerErrorCode Code, string Message)
{
    /// <summary>The code's spelling on the wire.</summary>
    public string Word => Code switch
    {
        BrokerErrorCode.NotFound => "not-found",
        BrokerErrorCode.Denied => "denied",
        BrokerErrorCode.Invalid => "invalid",
        BrokerErrorCode.TooLarge => "too-large",
        BrokerErrorCode.Busy => "busy",
        _ => throw new InvalidOperationException($"no error code: {Code}"),
    };
}
