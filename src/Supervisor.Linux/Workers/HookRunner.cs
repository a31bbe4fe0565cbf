using System.Collections.Immutable;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Runs the hooks of one service, one after another, each within start_timeout. Lives on the loop and never blocks it: a pidfd
/// reports the exit of a hook. Then the rest of the hook's session is killed.
/// </summary>
internal sealed class HookRunner : IDeadline, IDisposable
{
    private static readonly TimeSpan DeathPatience = TimeSpan.FromMilliseconds(100);

    private readonly ServiceContext _service;
    private readonly Queue<(ServiceSpec Spec, WorkerIdentity Identity, HookEffect Hook)> _waiting = new();
    private HookProcess? _process;
    /// <summary>The hook whose environment is being read; null if there is none.</summary>
    private HookEffect? _preparing;
    private HookEffect? _hook;
    private TimeSpan _timeout;
    private bool _timedOut;
    private bool _isKilled;
    private bool _stopped;

    /// <summary>A runner that posts <see cref="HookEnded"/> for each hook.</summary>
    public HookRunner(ServiceContext service) => _service = service;

    /// <summary>Whether no hook runs or waits.</summary>
    public bool IsIdle => _process is null && _preparing is null && _waiting.Count == 0;

    /// <summary>What the newest hook wrote last, with its setting before each line. Escaped and bounded.</summary>
    internal IReadOnlyList<string> LastLines { get; private set; } = [];

    /// <inheritdoc/>
    public TimeSpan? NextDeadline
    {
        get;
        private set
        {
            field = value;
            _service.Loop.Schedule(this);
        }
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        NextDeadline = null;
        if (_process is { } process)
        {
            if (_isKilled)
            {
                Leave(process);
                return;
            }

            _timedOut = true;
            Kill(process);
        }

        if (_preparing is not null)
        {
            Abandon(
                $"{_hook!.Hook.Setting()} could not be started: its environment_files were not read within start_timeout "
                + $"({Duration.Rounded(_timeout)}); check the file system that they are on");
        }
    }

    /// <summary>Queues a hook.</summary>
    public void Run(ServiceSpec spec, WorkerIdentity identity, HookEffect hook)
    {
        _waiting.Enqueue((spec, identity, hook));
        _service.Note(isUrgent: true);
        Next();
    }

    /// <summary>The running hook and the waiting ones.</summary>
    public (HookEntry? Running, ImmutableArray<HookEffect> Waiting) Snapshot()
    {
        ImmutableArray<HookEffect> waiting = [.. _waiting.Select(one => one.Hook)];
        if (_process is not { } process)
        {
            return (null, waiting);
        }

        var running = new HookEntry
        {
            Hook = _hook!,
            Pid = process.Pid,
            StartTime = ProcFile.Read(process.Pid)?.StartTime ?? 0,
            Timeout = _timeout,
            Deadline = _isKilled ? null : NextDeadline,
        };
        return (running, waiting);
    }

    /// <summary>Adds the running hook's descriptors for a successor, which this object keeps.</summary>
    public void AddDescriptors(string service, OutgoingDescriptors descriptors)
    {
        descriptors.Add(DescriptorKey.Hook(service, "process"), _process?.Pidfd);
        descriptors.Add(DescriptorKey.Hook(service, "output"), _process?.Output.Descriptor);
        descriptors.Add(DescriptorKey.Hook(service, "error"), _process?.Error.Descriptor);
    }

    /// <summary>
    /// Resumes a predecessor's hook, a child of this process. False if its pidfd is missing; the hook then counts as failed.
    /// </summary>
    public bool Adopt(string service, HookEntry entry, IncomingDescriptors descriptors, OrphanReaper? orphans)
    {
        if (descriptors.Take(DescriptorKey.Hook(service, "process")) is not { } pidfd)
        {
            return false;
        }

        OutputPipe Pipe(string what, bool isError) => new(
            descriptors.Take(DescriptorKey.Hook(service, what)) ?? Files.EndedPipe(), line =>
                _service.Output.Write(entry.Hook, entry.Pid, line, isError));

        _process = new HookProcess(entry.Pid, pidfd, Pipe("output", false), Pipe("error", true), orphans);
        _hook = entry.Hook;
        _timeout = entry.Timeout;
        _timedOut = _isKilled = entry.Deadline is null;
        NextDeadline = entry.Deadline ?? _service.Loop.Now + UntilLeft;
        Attach(_process);
        return true;
    }

    /// <summary>Stops that hook within stop_timeout. A hook that has not started is dropped.</summary>
    public void Stop(HookStopEffect stop)
    {
        if (_process is { } process && IsMeant(_hook!))
        {
            _stopped = true;
            SignalDelivery.Send(process.Pidfd, process.Pid, Signals.Terminate);
            var killed = _service.Loop.Now + StopTimeout;
            NextDeadline = NextDeadline < killed ? NextDeadline : killed;
        }

        if (_preparing is not null && IsMeant(_preparing))
        {
            _stopped = true;
            Abandon(null);
        }

        for (var left = _waiting.Count; left > 0; left--)
        {
            var next = _waiting.Dequeue();
            if (IsMeant(next.Hook))
            {
                _service.Post(new HookEnded(next.Hook.Hook, next.Hook.Generation, Failure: null, Stopped: true));
            }
            else
            {
                _waiting.Enqueue(next);
            }
        }

        bool IsMeant(HookEffect hook) => hook.Hook == stop.Hook && hook.Generation == stop.Generation;
    }

    /// <summary>Kills the running hook and drops the waiting ones.</summary>
    public void Kill()
    {
        _waiting.Clear();
        if (_process is { } process && !_isKilled)
        {
            Kill(process);
        }

        if (_preparing is not null)
        {
            _stopped = true;
            Abandon(null);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _service.Loop.Remove(this);
        if (_process is { } process)
        {
            // Its children become the daemon's when it is dead, and are killed as orphans.
            process.Kill();
            Polling.Await(process.Pidfd, DeathPatience);
            Unwatch(process);
            process.Dispose();
            _process = null;
        }
    }

    private void Next()
    {
        while (_process is null && _preparing is null && _waiting.TryDequeue(out var next))
        {
            var (spec, identity, hook) = next;
            _hook = hook;
            _stopped = false;
            _timedOut = false;
            _isKilled = false;
            _timeout = spec.StartTimeout;
            NextDeadline = _service.Loop.Now + _timeout;
            if (spec.EnvironmentFiles.IsEmpty)
            {
                Start(spec, identity, hook, FileVariables.None);
                continue;
            }

            _preparing = hook;
            _service.EnvironmentFiles.Read(spec, identity, read =>
            {
                if (!ReferenceEquals(_preparing, hook))
                {
                    return;
                }

                _preparing = null;
                Start(spec, identity, hook, read);
                Next();
            });
        }
    }

    private void Start(ServiceSpec spec, WorkerIdentity identity, HookEffect hook, FileVariables fromFiles)
    {
        var command = hook.Hook switch
        {
            HookKind.PreStart => spec.Hooks.PreStart,
            HookKind.PostReady => spec.Hooks.PostReady,
            HookKind.PostStop => spec.Hooks.PostStop,
            _ => throw new ArgumentOutOfRangeException(nameof(hook), hook.Hook, null),
        };
        var pid = 0;
        LastLines = [];
        var failure = fromFiles.Error;
        _process = failure is not null ? null : _service.Spawner.Programs.StartHook(
            spec, identity, hook.Hook, hook.Generation, command,
            line => _service.Output.Write(hook, pid, line, isError: false),
            line => _service.Output.Write(hook, pid, line, isError: true),
            fromFiles,
            _service.Generations.PinsOf(hook.Generation),
            out failure);
        if (_process is not { } process)
        {
            NextDeadline = null;
            PostEnded($"{hook.Hook.Setting()} could not be started: {failure}");
            return;
        }

        pid = process.Pid;
        _service.Log.HookStarted(hook, pid);
        _service.Note(isUrgent: true);
        Attach(process);
    }

    /// <summary>Stops waiting for the environment of the hook that is being prepared.</summary>
    private void Abandon(string? failure)
    {
        _preparing = null;
        NextDeadline = null;
        PostEnded(failure);
        Next();
    }

    private TimeSpan StopTimeout => _service.State.SpecOf(_hook!.Generation).StopTimeout;

    /// <summary>How long to wait after SIGKILL: as for a worker.</summary>
    private TimeSpan UntilLeft => StopTimeout > WorkerMachine.KillPatience ? StopTimeout : WorkerMachine.KillPatience;

    /// <summary>Sends SIGKILL, and waits for its effect for one more stop_timeout.</summary>
    private void Kill(HookProcess process)
    {
        process.Kill();
        _isKilled = true;
        NextDeadline = _service.Loop.Now + UntilLeft;
    }

    /// <summary>
    /// Continues without a hook that does not exit after SIGKILL, so that it does not hold a stop or a restart for ever. It is named
    /// first, off the loop.
    /// </summary>
    private void Leave(HookProcess process) =>
        Task.Run(() => StuckProcess.Find([process.Pid])).ContinueWith(
            task => _service.Loop.Post(() =>
            {
                if (_process == process)
                {
                    var failure = $"{_hook!.Hook.Setting()} {process.Unkilled}: "
                        + $"{StuckProcess.Describe(task.IsCompletedSuccessfully ? task.Result : [])}; listend continues without it";
                    if (_stopped)
                    {
                        // The end of a stopped hook is not reported.
                        _service.Log.HookLeft(_hook, process.Pid, failure);
                    }

                    Unwatch(process);
                    process.Abandon();
                    process.Dispose();
                    _process = null;
                    NextDeadline = null;
                    PostEnded(failure);
                    Next();
                }
            }),
            TaskScheduler.Default);

    private void Attach(HookProcess process)
    {
        ReadLines(process.Output);
        ReadLines(process.Error);
        _service.Loop.Watch(process.Pidfd, Ended);
    }

    private void Ended()
    {
        if (_process is not { } process || Processes.PeekExit(process.Pidfd) is not { } exit)
        {
            return;
        }

        Unwatch(process);
        NextDeadline = null;
        process.KillRest(() => Finish(process, exit));
    }

    private void Finish(HookProcess process, Processes.Exit exit)
    {
        if (_process != process)
        {
            return;
        }

        process.Output.Drain();
        process.Error.Drain();
        string? unlaunched = null;
        process.Launch?.TryGetOutcome(out unlaunched);
        LastLines = [.. _service.Output.LastLines(process.Pid).Select(line => $"{_hook!.Hook.Setting()}: {line}")];
        process.Reap();
        process.Dispose();
        _process = null;
        var reason = exit.Signalled ? ExitReason.Signalled(exit.Status, exit.CoreDumped) : ExitReason.Exited(exit.Status);
        PostEnded(unlaunched is not null ? $"{_hook!.Hook.Setting()} could not be started: {unlaunched}"
            : _timedOut ? $"{_hook!.Hook.Setting()} did not exit within start_timeout ({Duration.Rounded(_timeout)}) and was killed"
            : exit is { Signalled: false, Status: 0 } ? null
            : $"{_hook!.Hook.Setting()} {reason.Text}");
        Next();
    }

    private void PostEnded(string? failure) => _service.Post(new HookEnded(_hook!.Hook, _hook.Generation, failure, _stopped));

    private void ReadLines(OutputPipe pipe) => _service.Loop.Watch(pipe.Descriptor, () =>
    {
        if (!pipe.Drain())
        {
            _service.Loop.Unwatch(pipe.Descriptor);
        }
    });

    private void Unwatch(HookProcess process)
    {
        _service.Loop.Unwatch(process.Pidfd);
        _service.Loop.Unwatch(process.Output.Descriptor);
        _service.Loop.Unwatch(process.Error.Descriptor);
    }
}
