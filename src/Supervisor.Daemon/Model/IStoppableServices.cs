namespace Supervisor.Daemon.Model;

/// <summary>The services, as the shutdown sees them. On the loop.</summary>
internal interface IStoppableServices
{
    /// <summary>Whether every worker and hook has exited.</summary>
    bool AreGone { get; }

    /// <summary>Lets all workers drain.</summary>
    void StopAll();

    /// <summary>Kills all workers.</summary>
    void KillAll();
}
