using System.Collections.Immutable;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>The events of a service.</summary>
public abstract record ServiceEvent;

/// <summary>
/// Start the service. If it runs, slots that wait, have reached their limit or are finished are tried again at once.
/// </summary>
public sealed record StartRequested : ServiceEvent;

/// <summary>Start the service at the first connection: no worker starts, and its listeners are watched.</summary>
public sealed record DemandAwaited : ServiceEvent;

/// <summary>Start the service when these services are ready.</summary>
public sealed record StartHeld(ImmutableArray<string> For) : ServiceEvent;

/// <summary>The services that its start or roll-out still waits for; if there are none, it begins.</summary>
public sealed record HoldChanged(ImmutableArray<string> For) : ServiceEvent;

/// <summary>A connection or datagram waits on a listener of a service that awaited one.</summary>
public sealed record DemandArrived : ServiceEvent;

/// <summary>Its workers were idle for stop_when_idle.</summary>
public sealed record IdleElapsed : ServiceEvent;

/// <summary>Kill the workers of a stopped service now.</summary>
public sealed record KillRequested : ServiceEvent;

/// <summary>Stop the service; its listeners stay.</summary>
public sealed record StopRequested : ServiceEvent;

/// <summary>Replace its workers; a stopped service starts.</summary>
/// <param name="By">What requests it, as a roll-out that it supersedes names it; null: a client.</param>
public sealed record RestartRequested(string? By = null) : ServiceEvent;

/// <summary>Replace the worker of one slot by another one of its generation, which has to be ready first.</summary>
public sealed record ReplaceRequested(int Slot) : ServiceEvent;

/// <summary>
/// Change the specification. Settings that need no new worker apply at once; with <paramref name="NewWorkers"/> the rest is
/// rolled out. A stopped service uses it at its next start.
/// </summary>
public sealed record SpecChanged(ServiceSpec Spec, bool NewWorkers) : ServiceEvent
{
    /// <summary>The services that the roll-out waits for; empty: it begins at once.</summary>
    public ImmutableArray<string> HeldFor { get; init; } = [];
}

/// <summary>Promote the canary of its roll-out: the other slots follow.</summary>
public sealed record PromoteRequested : ServiceEvent;

/// <summary>Roll its roll-out back.</summary>
public sealed record AbortRequested : ServiceEvent;

/// <summary>Set its number of workers; 1 or more.</summary>
public sealed record ScaleRequested(int Workers) : ServiceEvent;

/// <summary>
/// The daemon has accepted these connections, and closed <paramref name="Refused"/> others of sources that have too many.
/// </summary>
public sealed record ConnectionsAccepted(ImmutableArray<WorkerConnection> Connections, int Refused) : ServiceEvent;

/// <summary>
/// The process of a connection was found that an earlier daemon had started, and had not saved when it was killed.
/// </summary>
public sealed record ConnectionFound(WorkerConnection Connection, int Pid) : ServiceEvent;

/// <summary>Change its number of workers, because of what <c>autoscale</c> saw. Without effect during a roll-out.</summary>
public sealed record AutoscaleRequested(int Workers, string Text) : ServiceEvent;

/// <summary>A worker's program runs.</summary>
public sealed record WorkerSpawned(int WorkerId, int Pid) : ServiceEvent;

/// <summary>
/// The programs of several workers run, which were spawned together: the same as one after the other, in one step.
/// </summary>
public sealed record WorkersSpawned(ImmutableArray<WorkerSpawned> Workers) : ServiceEvent;

/// <summary>A worker is ready.</summary>
public sealed record WorkerReady(int WorkerId) : ServiceEvent;

/// <summary>A worker sent STOPPING=1.</summary>
public sealed record WorkerLeaving(int WorkerId) : ServiceEvent;

/// <summary>A worker named its main process: its own descendant, whose exit is the worker's.</summary>
public sealed record WorkerMainProcess(int WorkerId, int Pid) : ServiceEvent;

/// <summary>A worker sent WATCHDOG=1.</summary>
public sealed record WorkerAlive(int WorkerId) : ServiceEvent;

/// <summary>A worker reported a hang: WATCHDOG=trigger.</summary>
public sealed record WorkerHung(int WorkerId) : ServiceEvent;

/// <summary>A worker is to be replaced, ready-gated, when max_surge and roll-outs permit it.</summary>
public sealed record WorkerDue(int WorkerId, ReplacementCause Cause, string Text) : ServiceEvent;

/// <summary>A worker set its watchdog's interval: WATCHDOG_USEC=; zero: no watchdog.</summary>
public sealed record WorkerWatchdogSet(int WorkerId, TimeSpan Interval) : ServiceEvent;

/// <summary>A worker asked for more time: EXTEND_TIMEOUT_USEC=.</summary>
public sealed record WorkerTimeoutExtended(int WorkerId, TimeSpan By) : ServiceEvent;

/// <summary>A worker sent RESTART_RESET=1: the restarts and failures of its slot no longer count.</summary>
public sealed record WorkerRestartsReset(int WorkerId) : ServiceEvent;

/// <summary>A probe found that a worker is not ready; with what it found instead.</summary>
public sealed record WorkerSeen(int WorkerId, string What) : ServiceEvent;

/// <summary>A worker's main process has exited, and other processes of the worker may remain: they are looked for now.</summary>
public sealed record WorkerMainEnded(int WorkerId, ExitReason Reason) : ServiceEvent;

/// <summary>Processes of a worker remain after its main process has exited; <paramref name="What"/> names them.</summary>
public sealed record WorkerRemains(int WorkerId, ExitReason Reason, int Count, string What) : ServiceEvent;

/// <summary>A kill cut connections of a worker.</summary>
public sealed record ConnectionsCut(int WorkerId, int Count) : ServiceEvent;

/// <summary>Processes of a worker did not exit after SIGKILL: the daemon continues without it. With their names.</summary>
public sealed record WorkerAbandoned(int WorkerId, string What) : ServiceEvent;

/// <summary>The whole worker has exited, or was never created.</summary>
public sealed record WorkerEnded(int WorkerId, ExitReason Reason) : ServiceEvent;

/// <summary>Several workers have exited: the same as one after the other, in one step.</summary>
public sealed record WorkersEnded(ImmutableArray<WorkerEnded> Workers) : ServiceEvent;

/// <summary>
/// A hook has exited; <paramref name="Failure"/> is the reason if it failed, else null. <paramref name="Stopped"/>: after a
/// <see cref="HookStopEffect"/>, when nothing waits for it any more.
/// </summary>
public sealed record HookEnded(HookKind Hook, int Generation, string? Failure, bool Stopped = false) : ServiceEvent;

/// <summary>Time passed: deadlines are checked.</summary>
public sealed record TimePassed : ServiceEvent;
