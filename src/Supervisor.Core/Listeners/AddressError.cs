namespace Supervisor.Core.Listeners;

/// <summary>
/// Why an address does not parse. A host name is separate, so that a caller can add the addresses that it resolves to.
/// </summary>
public sealed record AddressError(string Message, string? Name)
{
    /// <summary>The text is not an address.</summary>
    public static AddressError Syntax(string message) => new(message, null);

    /// <summary>The host is a name; a listener needs the number that a resolver returns for it.</summary>
    public static AddressError HostName(string name, string message) => new(message, name);
}
