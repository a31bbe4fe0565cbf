namespace Supervisor.Linux;

/// <summary>The journal's MESSAGE_ID of each kind of event: a UUID each, made once, never changed (sd_journal_print(3)).</summary>
public static class MessageIds
{
    /// <summary>A call that shaped a listener.</summary>
    public const string ListenerOption = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a001";

    /// <summary>A listener is there.</summary>
    public const string ListenerReady = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a002";

    /// <summary>A listener could not be made.</summary>
    public const string ListenerFailed = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a003";

    /// <summary>A worker changed its state.</summary>
    public const string Worker = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a004";

    /// <summary>A roll-out changed its state.</summary>
    public const string Rollout = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a005";

    /// <summary>A line that a worker wrote.</summary>
    public const string Output = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a006";

    /// <summary>A holder of a shared socket changed it.</summary>
    public const string ListenerDrifted = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a008";

    /// <summary>Such a change was put back.</summary>
    public const string ListenerRepaired = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a009";

    /// <summary>The daemon itself.</summary>
    public const string Daemon = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a007";
}
