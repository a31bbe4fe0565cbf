namespace Supervisor.Daemon.Model;

/// <summary>The services, for the shutdown. On the loop.</summary>
internal interface IStoppableServices
{
    /// <summary>Whether every worker and hook has exited.</summary>
    bool AreGone { get; }

    /// <summary>The longest <c>stop_timeout</c> of a service.</summary>
    TimeSpan LongestStop { get; }

    /// <summary>Drains all workers.</summary>
    void StopAll();

    /// <summary>Kills all workers.</summary>
    void KillAll();
}
