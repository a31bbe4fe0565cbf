namespace Supervisor.Core.Listeners;

/// <summary>Why an address does not parse. A host name is kept apart, so that a caller can add what it resolves to.</summary>
public sealed record AddressError(string Message, string? Name)
{
    /// <summary>The text is no address.</summary>
    public static AddressError Syntax(string message) => new(message, null);

    /// <summary>The host is a name, which only a resolver can turn into the numbers that a listener needs.</summary>
    public static AddressError HostName(string name, string message) => new(message, name);
}
