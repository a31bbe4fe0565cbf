namespace Supervisor.Core.Protocols;

/// <summary>An error reply of the broker.</summary>
/// <param name="Code">The kind of error.</param>
/// <param name="Message">The cause and the remedy, in words.</param>
public sealed record BrokerError(BrokerErrorCode Code, string Message)
{
    /// <summary>The code's name in the protocol.</summary>
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
