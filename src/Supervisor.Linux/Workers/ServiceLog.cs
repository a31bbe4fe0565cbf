using System.Globalization;
using Serilog;
using Serilog.Events;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;

namespace Supervisor.Linux.Workers;

/// <summary>A service in the log: one event for each change of state.</summary>
internal sealed class ServiceLog : IDisposable
{
    private const string SlotField = "LISTEND_SLOT";

    /// <summary>The burst limit of log lines that also correct workers can cause.</summary>
    private const int MostAtOnce = 5;

    private readonly ILogger _log;
    private readonly string _name;
    private readonly LogLimit _limit;

    public ServiceLog(ILogger log, ServiceSpec spec, EventLoop loop)
    {
        _name = spec.Name;
        _log = log.Service(spec.Name);
        _limit = new LogLimit(loop, _log);
    }

    public void HookStarted(HookEffect hook, int pid) =>
        _log.Kind(MessageIds.HookStarted).Generation(hook.Generation)
            .Debug(
                "service {Service}: running {Hook} (pid {Pid}, generation {Generation})", _name, hook.Hook.Setting(), pid, hook.Generation);

    /// <summary>Logs a stopped hook that does not exit after SIGKILL.</summary>
    public void HookLeft(HookEffect hook, int pid, string failure) =>
        _log.Kind(MessageIds.HookFailed).Generation(hook.Generation).Worker(pid)
            .Error("service {Service}: {Failure} (generation {Generation})", _name, failure, hook.Generation);

    public void Blocked(string why) =>
        _log.Kind(MessageIds.ServiceBlocked).Error("service {Service}: cannot be started: {Reason}", _name, why);

    /// <summary>Logs lines of environment files that have no effect. A local user may write the file of a service.</summary>
    public void EnvironmentIgnored(string what) =>
        _limit.Write(_name, "environment", (log, leftOut) => log.Kind(MessageIds.EnvironmentIgnored).Warning(
            "service {Service}: environment_files: {Reason}{LeftOut}", _name, what, leftOut), MostAtOnce);

    /// <summary>Logs a rejected message; a worker cannot choose the text of <paramref name="kind"/>.</summary>
    public void MessageRefused(WorkerProcess process, int sender, string kind, string reason)
    {
        var pid = process.Pid;
        _limit.Write(Subject(process.Session), kind, (log, leftOut) => log.Kind(MessageIds.WorkerMessageRejected).Worker(pid)
            .Warning("service {Service}: a notify message from pid {Sender} for worker pid {Pid} was rejected: {Reason}{LeftOut}", _name,
                sender, pid, reason, leftOut));
    }

    /// <summary>Logs a field of an accepted message that has no effect.</summary>
    public void FieldIgnored(WorkerProcess process, int sender, string problem)
    {
        var pid = process.Pid;
        _limit.Write(Subject(process.Session), "field", (log, leftOut) => log.Kind(MessageIds.WorkerMessageRejected).Worker(pid)
            .Warning(
                "service {Service}: a field of a notify message from pid {Sender} for worker pid {Pid} was ignored: {Reason}{LeftOut}",
                _name, sender, pid, problem, leftOut), MostAtOnce);
    }

    /// <summary>Logs that connections of a source were closed, because it has too many.</summary>
    public void ConnectionsRefused(string source, int most) =>
        _limit.Write(_name, "refused", (log, leftOut) => log.Kind(MessageIds.ConnectionsRefused).Warning(
            "service {Service}: a connection of {Source} was closed: max_connections_per_source ({Most}) is reached{LeftOut}",
            _name, source, most, leftOut));

    /// <summary>Logs that connections wait in the accept queue.</summary>
    public void ConnectionsWait(string why) =>
        _limit.Write(_name, "wait", (log, leftOut) => log.Kind(MessageIds.ConnectionsWait).Warning(
            "service {Service}: {Reason}: further connections wait in the accept queue{LeftOut}", _name, why, leftOut));

    /// <summary>Logs that a connection could not be accepted.</summary>
    public void AcceptFailed(string listener, string error) =>
        _limit.Write(listener, "accept", (log, leftOut) => log.Kind(MessageIds.AcceptFailed).Listener(listener).Error(
            "service {Service}: listener {Listener}: cannot accept a connection: {Error}: trying again{LeftOut}",
            _name, listener, error, leftOut));

    /// <summary>Logs that the process of a connection has failed, or could not be started.</summary>
    public void ConnectionFailed(WorkerState worker, string why, string? lastLines) =>
        _limit.Write(_name, "failed", (log, leftOut) => About(log.Kind(MessageIds.ConnectionFailed), worker, worker.Pid).Warning(
            "service {Service}: the process of the connection from {Peer} {Reason}{Lines}{LeftOut}",
            _name, worker.Connection!.ToString(), why, lastLines is null ? "" : $"; last lines: {lastLines}", leftOut));

    /// <summary>Logs that RESTART_RESET=1 was received.</summary>
    public void RestartsReset(WorkerState worker) =>
        _limit.Write(Subject(worker.Id), "reset", (log, leftOut) => About(log.Kind(MessageIds.WorkerRestartsReset), worker, worker.Pid)
            .Information("service {Service}: worker {Slot} sent RESTART_RESET=1: its restarts and failures no longer count{LeftOut}", _name,
                worker.Slot, leftOut));

    /// <summary>Logs that a stored descriptor was dropped.</summary>
    public void StoredHungUp(int slot, string descriptor) =>
        _limit.Write(Subject(slot), "stored", (log, leftOut) => log.Kind(MessageIds.StoredDescriptorDropped).ForContext(SlotField, slot)
            .Information(
                "service {Service}: descriptor {Descriptor} that worker {Slot} stored is closed: it has a hang-up or an error "
                + "(FDPOLL=0 keeps it){LeftOut}",
                _name, descriptor, slot, leftOut), MostAtOnce);

    public void MainProcess(WorkerState worker, int session, int before, int pid) =>
        _limit.Write(Subject(session), "main", (log, leftOut) => About(log.Kind(MessageIds.WorkerMainChanged), worker, pid)
        .Information(
            "service {Service}: worker {Slot} (pid {Before}, generation {Generation}): the main process is now pid {Pid} (MAINPID)"
            + "{LeftOut}",
            _name, worker.Slot, before, worker.Generation, pid, leftOut), MostAtOnce);

    /// <summary>
    /// Logs a process that outlived its worker. It was recognised by its token, or else by its user and the listener that it
    /// holds, if any.
    /// </summary>
    public void StrayKilled(int worker, int pid, string? command, string? listener, bool byToken) =>
        _limit.Write(Subject(worker), "stray", (limited, leftOut) =>
    {
        var log = limited.Kind(MessageIds.OrphanKilled).Worker(worker);
        if (byToken)
        {
            log.Warning(
                "service {Service}: pid {Pid} ({Command}) outlived the worker with pid {Worker} in a session of its own: "
                + "sending SIGKILL{LeftOut}",
                _name, pid, command ?? "?", worker, leftOut);
        }
        else
        {
            log.Warning(
                "service {Service}: pid {Pid} ({Command}) outlived the worker with pid {Worker}{Held} and hid its origin: "
                + "sending SIGKILL; only a cgroup for each worker contains such processes: "
                + "set Delegate=yes in the unit of listend{LeftOut}",
                _name, pid, command ?? "?", worker, listener is null ? "" : $", holds listener {listener}", leftOut);
        }
    }, MostAtOnce);

    /// <summary>Logs a signal that the kernel refused to send.</summary>
    public void SignalRefused(WorkerState worker, int pid, string signal, string error, string remedy) =>
        _limit.Write(string.Create(CultureInfo.InvariantCulture, $"{worker.Id}"), signal, (limited, leftOut) =>
            About(limited.Kind(MessageIds.WorkerSignalRefused), worker, pid)
                .Error(
                    "service {Service}: {Worker}: cannot send {Signal} to pid {Pid}: {Error}: {Remedy}{LeftOut}",
                    _name, WorkerText.Name(worker), signal, pid, error, remedy, leftOut));

    public void RestNotKilled(int worker) =>
        _log.Kind(MessageIds.OrphansRemain).Worker(worker)
            .Warning(
                "service {Service}: the processes of the worker with pid {Worker} fork faster than listend kills them, some remain: "
                + "set Delegate=yes in the unit of listend, so that each worker has a cgroup",
                _name, worker);

    public void FirstEnded(int pid, int main, string how) =>
        _log.Kind(MessageIds.WorkerMainExited).Worker(main)
            .Information("service {Service}: pid {Pid} {Reason}; the worker continues as pid {Main}", _name, pid, how, main);

    public void AwaitsMain(WorkerState worker, int pid) =>
        About(_log.Kind(MessageIds.WorkerMainAwaited), worker, pid)
            .Information(
                "service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) exited with status 0 and left a process behind: "
                + "waiting for its MAINPID message until start_timeout",
                _name, worker.Slot, pid, worker.Generation);

    /// <summary>Logs a report of the service, whose new state is given.</summary>
    public void Report(ReportEffect report, ServiceState state, TimeSpan now)
    {
        var (level, kind) = KindOf(report);
        About(report, kind).Write(level, "service {Service}: {Text}", _name, ServiceReportText.Of(report, state, now));
    }

    /// <inheritdoc/>
    public void Dispose() => _limit.Dispose();

    private static string Subject(int worker) => worker.ToString(CultureInfo.InvariantCulture);

    private ILogger About(ReportEffect report, string kind)
    {
        var log = _log.Kind(kind);
        if (report.Drain is { } drain && report.Report != ServiceReport.WorkerConnections)
        {
            log = log.ForContext("LISTEND_LISTENER", drain.KeepsAccepting is { } kept && report.Report == ServiceReport.WorkerKeepsAccepting
                ? kept.Listener
                : string.Join(",", drain.ByListener.Select(one => one.Listener)));
        }

        return report switch
        {
            { Worker: { } worker } => About(log, worker, worker.Pid),
            { Rollout: { } rollout } => log.Generation(rollout.To),
            { Slot: { } slot } => log.ForContext(SlotField, slot.Index),
            _ => log,
        };
    }

    private static ILogger About(ILogger log, WorkerState worker, int? pid) =>
        (pid is { } known ? log.Worker(known) : log).Generation(worker.Generation).ForContext(SlotField, worker.Slot);

    /// <summary>The level and MESSAGE_ID of a report.</summary>
    private static (LogEventLevel Level, string Kind) KindOf(ReportEffect report) => report.Report switch
    {
        ServiceReport.WorkerSpawned => (LogEventLevel.Debug, MessageIds.WorkerStarted),
        ServiceReport.WorkerPinned => (LogEventLevel.Information, MessageIds.WorkerPinned),
        ServiceReport.WorkerPinLost => (LogEventLevel.Warning, MessageIds.WorkerPinLost),
        ServiceReport.WorkerReady => (LogEventLevel.Information, MessageIds.WorkerReady),
        ServiceReport.WorkerStartTimedOut => (LogEventLevel.Error, MessageIds.WorkerStartTimedOut),
        ServiceReport.WorkerHung => (LogEventLevel.Error, MessageIds.WorkerHung),
        ServiceReport.WorkerRecycled => (LogEventLevel.Information, MessageIds.WorkerRecycled),
        ServiceReport.WorkerUnhealthy => (LogEventLevel.Error, MessageIds.WorkerUnhealthy),
        ServiceReport.WorkerDraining =>
            (LogEventLevel.Information, report.Worker!.EndReason == EndReason.Requested ? MessageIds.WorkerDraining
                : MessageIds.WorkerStopping),
        ServiceReport.WorkerKilled => (LogEventLevel.Warning, MessageIds.WorkerKilled),
        ServiceReport.WorkerRemains => (LogEventLevel.Information, MessageIds.WorkerRemains),
        ServiceReport.WorkerAbandoned => (LogEventLevel.Error, MessageIds.WorkerAbandoned),
        ServiceReport.WorkerLeft => (LogEventLevel.Information, MessageIds.WorkerExited),
        ServiceReport.WorkerDied =>
            (LogEventLevel.Error, report.Worker!.Pid is null ? MessageIds.WorkerStartFailed : MessageIds.WorkerDied),
        ServiceReport.SlotBackingOff => report.Slot!.Phase == SlotPhase.Limited
            ? (LogEventLevel.Error, MessageIds.WorkerLimited)
            : (LogEventLevel.Warning, MessageIds.WorkerBackingOff),
        ServiceReport.SlotLooping => (LogEventLevel.Error, MessageIds.WorkerCrashLoop),
        ServiceReport.SlotFinished => (LogEventLevel.Information, MessageIds.WorkerFinished),
        ServiceReport.RolloutStarted => (LogEventLevel.Information, MessageIds.RolloutStarted),
        ServiceReport.RolloutProgressed => (LogEventLevel.Debug, MessageIds.RolloutProgressed),
        ServiceReport.RolloutWaiting => (LogEventLevel.Information, MessageIds.RolloutWaiting),
        ServiceReport.RolloutCanary => (LogEventLevel.Information, MessageIds.RolloutCanary),
        ServiceReport.RolloutPromoted => (LogEventLevel.Information, MessageIds.RolloutPromoted),
        ServiceReport.RolloutFailing => (LogEventLevel.Error, MessageIds.RolloutFailing),
        ServiceReport.RolloutEnded => report.Rollout!.Phase switch
        {
            RolloutPhase.Done => (LogEventLevel.Information, MessageIds.RolloutDone),
            RolloutPhase.RolledBack => (LogEventLevel.Warning, MessageIds.RolloutRolledBack),
            RolloutPhase.Failed => (LogEventLevel.Warning, MessageIds.RolloutFailed),
            _ => (LogEventLevel.Warning, MessageIds.RolloutSuperseded),
        },
        ServiceReport.ServiceStopped => (LogEventLevel.Information, MessageIds.ServiceStopped),
        ServiceReport.WorkerConnections => (LogEventLevel.Debug, MessageIds.WorkerConnections),
        ServiceReport.WorkerKeepsAccepting => (LogEventLevel.Warning, MessageIds.WorkerKeepsAccepting),
        ServiceReport.WorkerCut => (LogEventLevel.Warning, MessageIds.WorkerCut),
        ServiceReport.DemandArrived => (LogEventLevel.Information, MessageIds.ServiceDemanded),
        ServiceReport.ServiceHeld => (LogEventLevel.Information, MessageIds.ServiceHeld),
        ServiceReport.ServiceIdle => (LogEventLevel.Information, MessageIds.ServiceIdle),
        ServiceReport.ServiceAutoscaled => (LogEventLevel.Information, MessageIds.ServiceAutoscaled),
        ServiceReport.WorkerOutOfMemory => (LogEventLevel.Error, MessageIds.WorkerOutOfMemory),
        ServiceReport.WorkerMemoryHigh => (LogEventLevel.Warning, MessageIds.WorkerMemoryHigh),
        ServiceReport.LimitRefused => (LogEventLevel.Warning, MessageIds.LimitRefused),
        ServiceReport.ProbeUnable => (LogEventLevel.Warning, MessageIds.ProbeUnable),
        ServiceReport.ProbeNeverPassed => (LogEventLevel.Warning, MessageIds.ProbeNeverPassed),
        ServiceReport.HookFailed => (LogEventLevel.Error, MessageIds.HookFailed),
        _ => throw new ArgumentOutOfRangeException(nameof(report), report.Report, null),
    };
}
