namespace Supervisor.Client;

/// <summary>The broker refuses what was asked for.</summary>
/// <param name="code">One of not-found, denied, invalid, too-large, busy.</param>
/// <param name="message">What it is about, with the remedy.</param>
public sealed class BrokerException(string code, string message) : Exception(message)
{
    /// <summary>One of not-found, denied, invalid, too-large, busy.</summary>
    public string Code { get; } = code;
}
