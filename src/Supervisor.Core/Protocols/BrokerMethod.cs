namespace Supervisor.Core.Protocols;

/// <summary>The requests of the broker's protocol.</summary>
public enum BrokerMethod
{
    /// <summary>Get duplicates of the descriptors of some listeners: all of them, or none.</summary>
    Take,

    /// <summary>Hold an open descriptor under a name.</summary>
    Put,

    /// <summary>Close a descriptor that was put.</summary>
    Drop,

    /// <summary>List the handles that the client may take.</summary>
    List,

    /// <summary>Take over from the daemon: another listend receives everything, and the daemon exits.</summary>
    Succeed,
}
