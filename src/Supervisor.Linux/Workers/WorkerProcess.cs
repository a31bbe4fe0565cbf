using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>A worker's process and the daemon's ends of what connects the two. Owns all of them.</summary>
public sealed class WorkerProcess : IDisposable
{
    internal WorkerProcess(int pid, DescriptorHandle pidfd, NotifySocket notify, OutputPipe output, OutputPipe error, DateTimeOffset startedAt)
    {
        Pid = pid;
        Pidfd = pidfd;
        Notify = notify;
        Output = output;
        Error = error;
        StartedAt = startedAt;
    }

    /// <summary>Its process id.</summary>
    public int Pid { get; }

    /// <summary>When it was spawned, by the wall clock.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>When it got ready.</summary>
    public DateTimeOffset? ReadyAt { get; internal set; }

    /// <summary>Its last STATUS=.</summary>
    public string? StatusText { get; internal set; }

    internal DescriptorHandle Pidfd { get; }

    internal NotifySocket Notify { get; }

    internal OutputPipe Output { get; }

    internal OutputPipe Error { get; }

    /// <summary>SIGKILL to the process and to whatever is left of its session.</summary>
    internal void KillSession()
    {
        Processes.Signal(Pidfd, 9);
        Processes.Kill(-Pid, 9);

        // One that forks meanwhile is behind the sweep; after one that finds nobody new, nobody is left who could.
        var killed = new HashSet<int>();
        int before;
        do
        {
            before = killed.Count;
            foreach (var member in ProcFile.MembersOf(Pid).Where(killed.Add))
            {
                Processes.Kill(member, 9);
            }
        }
        while (killed.Count > before);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Output.Dispose();
        Error.Dispose();
        Notify.Dispose();
        Pidfd.Dispose();
    }
}
