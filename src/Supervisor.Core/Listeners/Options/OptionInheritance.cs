namespace Supervisor.Core.Listeners.Options;

/// <summary>Whether Linux passes an option from a listener to the connections accepted on it.</summary>
public enum OptionInheritance
{
    /// <summary>An accepted connection starts with the listener's value.</summary>
    Inherited,

    /// <summary>It acts on the listener alone.</summary>
    ListenerOnly,

    /// <summary>There is no accepted connection to which it could pass (a datagram socket's option).</summary>
    NotApplicable,
}
