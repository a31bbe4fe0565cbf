namespace Supervisor.Listenctl.Reports;

/// <summary>What comes first on the screen of <c>top</c>.</summary>
internal enum TopOrder
{
    /// <summary>As configured; workers by slot.</summary>
    Configured,

    /// <summary>Listeners by queue, workers by processor time.</summary>
    Load,

    /// <summary>Workers by memory.</summary>
    Memory,

    /// <summary>Workers by connections, listeners by queue.</summary>
    Connections,

    /// <summary>Listeners by drops, workers by restarts.</summary>
    Drops,
}
