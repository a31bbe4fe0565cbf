using System.Collections.Immutable;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>What can happen to a service.</summary>
public abstract record ServiceEvent;

/// <summary>It is to run; where it does, slots that wait, have reached their limit or are finished are tried again at once.</summary>
public sealed record StartRequested : ServiceEvent;

/// <summary>It is to run at the first connection: nothing is started, its listeners are watched.</summary>
public sealed record DemandAwaited : ServiceEvent;

/// <summary>A connection or datagram waits on a listener of a service that awaited it.</summary>
public sealed record DemandArrived : ServiceEvent;

/// <summary>Its workers have had nothing to do for stop_when_idle.</summary>
public sealed record IdleElapsed : ServiceEvent;

/// <summary>It is to stop; its listeners stay.</summary>
public sealed record StopRequested : ServiceEvent;

/// <summary>Its workers are to be replaced; where it is stopped, it is to run.</summary>
public sealed record RestartRequested : ServiceEvent;

/// <summary>
/// Something else is asked for: what needs no new worker holds at once; <paramref name="NewWorkers"/>: the rest is rolled
/// out. A stopped service starts with it the next time.
/// </summary>
public sealed record SpecChanged(ServiceSpec Spec, bool NewWorkers) : ServiceEvent;

/// <summary>The canary of its roll-out is good: the other slots follow.</summary>
public sealed record PromoteRequested : ServiceEvent;

/// <summary>Its roll-out is to be rolled back.</summary>
public sealed record AbortRequested : ServiceEvent;

/// <summary>It is to have that many workers; 1 or more.</summary>
public sealed record ScaleRequested(int Workers) : ServiceEvent;

/// <summary>A worker's program runs.</summary>
public sealed record WorkerSpawned(int WorkerId, int Pid) : ServiceEvent;

/// <summary>The programs of several workers run, which were spawned at once: the same as one after the other, in one step.</summary>
public sealed record WorkersSpawned(ImmutableArray<WorkerSpawned> Workers) : ServiceEvent;

/// <summary>A worker is ready.</summary>
public sealed record WorkerReady(int WorkerId) : ServiceEvent;

/// <summary>A worker said that it is leaving.</summary>
public sealed record WorkerLeaving(int WorkerId) : ServiceEvent;

/// <summary>A worker named the process that counts: its own descendant, whose end is the worker's.</summary>
public sealed record WorkerMainProcess(int WorkerId, int Pid) : ServiceEvent;

/// <summary>A worker gave a sign of life: WATCHDOG=1.</summary>
public sealed record WorkerAlive(int WorkerId) : ServiceEvent;

/// <summary>A worker reports that it hangs: WATCHDOG=trigger.</summary>
public sealed record WorkerHung(int WorkerId) : ServiceEvent;

/// <summary>A worker set its watchdog's interval: WATCHDOG_USEC=; zero: no watchdog.</summary>
public sealed record WorkerWatchdogSet(int WorkerId, TimeSpan Interval) : ServiceEvent;

/// <summary>A worker asked for more time: EXTEND_TIMEOUT_USEC=.</summary>
public sealed record WorkerTimeoutExtended(int WorkerId, TimeSpan By) : ServiceEvent;

/// <summary>A worker whose readiness is looked at from outside is not ready; what was seen of it instead.</summary>
public sealed record WorkerSeen(int WorkerId, string What) : ServiceEvent;

/// <summary>A worker's process is gone, or never came to be.</summary>
public sealed record WorkerEnded(int WorkerId, ExitReason Reason) : ServiceEvent;

/// <summary>
/// A hook has ended; <paramref name="Failure"/> says how it failed, null where it did not. <paramref name="Stopped"/>: after
/// a <see cref="HookStopEffect"/>, when nothing waits for it any more.
/// </summary>
public sealed record HookEnded(HookKind Hook, int Generation, string? Failure, bool Stopped = false) : ServiceEvent;

/// <summary>Time passed: deadlines are looked at.</summary>
public sealed record TimePassed : ServiceEvent;
