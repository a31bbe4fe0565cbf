namespace Supervisor.Daemon.Continuity;

/// <summary>Brings the daemon to a point at which a successor can continue, and back. On the loop.</summary>
internal interface IQuiescence
{
    /// <summary>
    /// Accepts no clients any more, and calls <paramref name="onQuiet"/> on the loop when answers are given and no helper works for
    /// the daemon. Workers are supervised in the meantime.
    /// </summary>
    void Begin(Action onQuiet);

    /// <summary>The succession has failed: everything continues as before.</summary>
    void End();
}
