namespace Supervisor.Daemon.Continuity;

/// <summary>What the saved state lacks of a service.</summary>
internal enum UnsavedChange
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>
    /// Only processes of connections. Most of them exit within milliseconds, so they are saved a moment later: a successor finds the
    /// others by their tokens.
    /// </summary>
    Connections,

    /// <summary>Something else.</summary>
    Any,
}
