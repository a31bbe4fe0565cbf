namespace Supervisor.Daemon.Continuity;

/// <summary>Brings the daemon to a point at which a successor can continue, and back. On the loop.</summary>
internal interface IQuiescence
{
    /// <summary>
    /// Stops accepting clients, and calls <paramref name="onQuiet"/> on the loop when every answer is sent and no helper works for the
    /// daemon. The daemon supervises its workers in the meantime.
    /// </summary>
    void Begin(Action onQuiet);

    /// <summary>The succession has failed: everything continues as before.</summary>
    void End();
}
