namespace Supervisor.Client;

/// <summary>The broker refuses a request.</summary>
/// <param name="code">One of not-found, denied, invalid, too-large, busy.</param>
/// <param name="message">The reason, with the remedy.</param>
public sealed class BrokerException(string code, string message) : Exception(message)
{
    /// <summary>One of not-found, denied, invalid, too-large, busy.</summary>
    public string Code { get; } = code;
}
