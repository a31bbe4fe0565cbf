using Supervisor.Linux.Output;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>A hook's process and the daemon's ends of its output. Owns all of them.</summary>
public sealed class HookProcess : IDisposable
{
    private readonly OrphanReaper? _orphans;
    private SystemCallError? _refusal;

    internal HookProcess(int pid, DescriptorHandle pidfd, OutputPipe output, OutputPipe error, OrphanReaper? orphans)
    {
        Pid = pid;
        Pidfd = pidfd;
        Output = output;
        Error = error;
        _orphans = orphans;
        orphans?.Add(pid);
    }

    /// <summary>The process id, which is also the session's id.</summary>
    public int Pid { get; }

    internal DescriptorHandle Pidfd { get; }

    internal OutputPipe Output { get; }

    internal OutputPipe Error { get; }

    /// <summary>The launch, until the program has been executed; null afterwards.</summary>
    internal PendingLaunch? Launch { get; init; }

    /// <summary>Whether it leaves processes behind on purpose, so that nothing of its session is killed.</summary>
    internal bool LeavesProcesses { get; init; }

    /// <summary>Why it lives although it was to be killed, such as "did not exit after SIGKILL".</summary>
    internal string Unkilled => _refusal is { } refusal ? $"did not get SIGKILL, which was refused ({refusal.Name})"
        : "did not exit after SIGKILL";

    /// <summary>Sends SIGKILL to the process. It must not have been reaped.</summary>
    internal void Kill() => _refusal = SignalDelivery.Send(Pidfd, Pid, KernelAbi.SIGKILL);

    /// <summary>Leaves the process to the reaper of orphans.</summary>
    internal void Abandon() => _orphans?.Remove(Pid);

    /// <summary>
    /// Kills the rest of the session off the loop, and then calls <paramref name="onDone"/> on the loop. Until then the process
    /// must not be reaped.
    /// </summary>
    internal void KillRest(Action onDone)
    {
        if (_orphans is { } orphans && !LeavesProcesses)
        {
            orphans.Sweeper.Begin(new Sweep { Sessions = [Pid], Leaders = [Pid], OnDone = _ => onDone() });
        }
        else
        {
            onDone();
        }
    }

    /// <summary>Reaps the process, which has exited.</summary>
    internal void Reap()
    {
        Processes.Reap(Pidfd);
        _orphans?.Remove(Pid);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Output.Dispose();
        Error.Dispose();
        Pidfd.Dispose();
        Launch?.Dispose();
    }
}
