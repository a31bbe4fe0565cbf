namespace Supervisor.Core.Listeners.Options;

/// <summary>Whether Linux passes an option from a listener to the connections accepted on it.</summary>
public enum OptionInheritance
{
    /// <summary>An accepted connection starts with the listener's value.</summary>
    Inherited,

    /// <summary>It affects only the listener.</summary>
    ListenerOnly,

    /// <summary>There are no accepted connections (a datagram socket's option).</summary>
    NotApplicable,
}
