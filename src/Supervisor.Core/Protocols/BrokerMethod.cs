namespace Supervisor.Core.Protocols;

/// <summary>What a client of the broker may ask for.</summary>
public enum BrokerMethod
{
    /// <summary>Duplicates of the descriptors of some listeners: all of them, or none.</summary>
    Take,

    /// <summary>To have an open descriptor held under a name.</summary>
    Put,

    /// <summary>To have one that was put let go of.</summary>
    Drop,

    /// <summary>What the asker may take.</summary>
    List,

    /// <summary>To take the daemon's place, by another listend: everything that it has, and it leaves.</summary>
    Succeed,
}
