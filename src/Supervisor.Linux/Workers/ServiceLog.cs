using System.Globalization;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;

namespace Supervisor.Linux.Workers;

/// <summary>A service in the log: one event for each change of state, one for each line that a worker writes.</summary>
internal sealed class ServiceLog : IDisposable
{
    private const int DefaultPriority = 6;
    private const string SlotField = "LISTEND_SLOT";

    /// <summary>How many lines of a kind that honest workers cause, too, are written at once.</summary>
    private const int MostAtOnce = 5;

    private readonly ILogger _log;

    /// <summary>What the workers write is not the daemon's to leave out, whatever the level of its own log.</summary>
    private readonly ILogger _lines;
    private readonly string _name;
    private readonly TimeProvider _time;
    private readonly LogLimit _limit;
    private OutputQueue? _output;

    /// <summary>A log whose workers' lines go to <paramref name="output"/>, or with the daemon's own; the queue stays the caller's.</summary>
    public ServiceLog(ILogger log, ServiceSpec spec, EventLoop loop, OutputQueue? output = null)
    {
        _output = output;
        _time = loop.Time;
        _name = spec.Name;
        _log = log.Service(spec.Name);
        _limit = new LogLimit(loop, _log);
        _lines = _log.ForContext(Constants.SourceContextPropertyName, OutputLine.LogSource);
    }

    /// <summary>What the workers have written, the newest 256 KiB of it in memory: for whoever asks afterwards.</summary>
    public RecentItems<OutputLine> Lines { get; } = new(int.MaxValue, 256 * 1024, static line => line.Weight);

    public void Output(WorkerState worker, int pid, string line, bool isError) => Output(worker.Slot, worker.Generation, pid, line, isError);

    public void HookOutput(HookEffect hook, int pid, string line, bool isError) => Output(null, hook.Generation, pid, line, isError);

    public void HookStarted(HookEffect hook, int pid) =>
        _log.Kind(MessageIds.HookStarted).Generation(hook.Generation).Debug("service {Service}: {Hook} runs (pid {Pid}, generation {Generation})", _name, hook.Hook.Setting(), pid, hook.Generation);

    /// <summary>Lines go there from now on; the former queue stays the caller's.</summary>
    public void Redirect(OutputQueue? output) => _output = output;

    private void Output(int? slot, int generation, int pid, string line, bool isError)
    {
        // sd-daemon(3): the worker's own priority.
        var priority = DefaultPriority;
        if (line is ['<', >= '0' and <= '7' and var digit, '>', ..])
        {
            priority = digit - '0';
            line = line[3..];
        }

        Lines.Add(seq => new OutputLine(seq, _time.GetUtcNow(), pid, slot, generation, isError, priority, line));
        if (_output is not null)
        {
            _output.Write(new OutgoingLine(pid, generation, priority, line));
            return;
        }

        var level = priority switch
        {
            <= 2 => LogEventLevel.Fatal,
            3 => LogEventLevel.Error,
            4 => LogEventLevel.Warning,
            7 => LogEventLevel.Debug,
            _ => LogEventLevel.Information,
        };
        _lines.Kind(MessageIds.WorkerOutput).Worker(pid).Generation(generation)
            .Write(level, "{Service}[{Pid}]: {Line}", _name, pid, line);
    }

    public void Blocked(string why) =>
        _log.Kind(MessageIds.ServiceBlocked).Error("service {Service}: cannot be started: {Reason}", _name, why);

    /// <summary>A message was refused, for a <paramref name="kind"/> of reason that no worker words.</summary>
    public void MessageRefused(WorkerProcess process, int sender, string kind, string reason)
    {
        var pid = process.Pid;
        _limit.Write(Subject(process.Session), kind, (log, leftOut) => log.Kind(MessageIds.WorkerMessageRejected).Worker(pid)
            .Warning("service {Service}: a notify message from pid {Sender} for worker pid {Pid} was refused: {Reason}{LeftOut}", _name, sender, pid, reason, leftOut));
    }

    public void MainProcess(WorkerState worker, int session, int before, int pid) => _limit.Write(Subject(session), "main", (log, leftOut) => About(log.Kind(MessageIds.WorkerMainChanged), worker, pid)
        .Information("service {Service}: worker {Slot} (pid {Before}, generation {Generation}): its main process is pid {Pid} from now on (MAINPID){LeftOut}", _name, worker.Slot, before, worker.Generation, pid, leftOut), MostAtOnce);

    /// <summary>A process outlived its worker, known by its token, or else by its user and the listener that it holds, if any.</summary>
    public void StrayKilled(int worker, int pid, string? command, string? listener, bool byToken) => _limit.Write(Subject(worker), "stray", (limited, leftOut) =>
    {
        var log = limited.Kind(MessageIds.OrphanKilled).Worker(worker);
        if (byToken)
        {
            log.Warning("service {Service}: pid {Pid} ({Command}) outlived the worker with pid {Worker} in a session of its own: sending SIGKILL{LeftOut}", _name, pid, command ?? "?", worker, leftOut);
        }
        else
        {
            log.Warning(
                "service {Service}: pid {Pid} ({Command}) outlived the worker with pid {Worker}{Held} and hid its origin: sending SIGKILL; only a cgroup for each worker contains such processes: set Delegate=yes in the unit of listend{LeftOut}",
                _name, pid, command ?? "?", worker, listener is null ? "" : $", holds listener {listener}", leftOut);
        }
    }, MostAtOnce);

    public void RestNotKilled(int worker) =>
        _log.Kind(MessageIds.OrphansRemain).Worker(worker)
            .Warning("service {Service}: worker with pid {Worker}: its processes start others faster than they are killed, and some are left: set Delegate=yes in the unit of listend, so that each worker has a cgroup", _name, worker);

    public void FirstEnded(int pid, int main, string how) =>
        _log.Kind(MessageIds.WorkerMainExited).Worker(main)
            .Information("service {Service}: pid {Pid} {Reason}; the worker goes on as pid {Main}", _name, pid, how, main);

    public void AwaitsMain(WorkerState worker, int pid) =>
        About(_log.Kind(MessageIds.WorkerMainAwaited), worker, pid).Information("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) exited with status 0 and left a process behind: it has until start_timeout to name it by MAINPID", _name, worker.Slot, pid, worker.Generation);

    /// <summary>A report, in the words of the terms that the worker, or else the service, has.</summary>
    public void Report(ReportEffect report, TimeSpan now, ServiceSpec spec)
    {
        var log = About(report);
        var worker = report.Worker;
        var rollout = report.Rollout;
        switch (report.Report)
        {
            case ServiceReport.WorkerSpawned:
                log.Debug("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) started", _name, worker!.Slot, worker.Pid, worker.Generation);
                break;
            case ServiceReport.WorkerReady:
                log.Information("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) is ready after {Elapsed}", _name, worker!.Slot, worker.Pid, worker.Generation, Durations.Text(now - worker.StartedAt));
                break;
            case ServiceReport.WorkerStartTimedOut:
                log.Error("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) {Reason}", _name, worker!.Slot, worker.Pid, worker.Generation, report.Text);
                break;
            case ServiceReport.WorkerHung:
                log.Error("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) {Reason}: it is sent SIGABRT, has {Timeout}", _name, worker!.Slot, worker.Pid, worker.Generation, report.Text, Durations.Text(spec.StopTimeout));
                break;
            case ServiceReport.WorkerDraining:
                log.Information("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) {Asked}, has {Timeout}", _name, worker!.Slot, worker.Pid, worker.Generation, worker.EndRequested ? "was asked to drain" : "says that it is leaving", Durations.Text(spec.StopTimeout));
                break;
            case ServiceReport.WorkerKilled:
                log.Warning("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) did not leave within stop_timeout ({Timeout}) and is killed with its session", _name, worker!.Slot, worker.Pid, worker.Generation, Durations.Text(spec.StopTimeout));
                break;
            case ServiceReport.WorkerLeft:
                log.Information("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) has left: {Reason}", _name, worker!.Slot, worker.Pid, worker.Generation, report.Text);
                break;
            case ServiceReport.WorkerDied when worker!.Pid is null:
                log.Error("service {Service}: worker {Slot} (generation {Generation}) {Reason}", _name, worker.Slot, worker.Generation, report.Text);
                break;
            case ServiceReport.WorkerDied:
                log.Error("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) {Reason}{Ready}", _name, worker!.Slot, worker.Pid, worker.Generation, report.Text, worker.ReadyAt is null ? " before it was ready" : "");
                break;
            case ServiceReport.SlotBackingOff:
                var slot = report.Slot!;
                if (slot.LimitReached)
                {
                    log.Error("service {Service}: worker {Slot} was restarted {Limit} times within {Interval} (restart.limit): next try in {Wait}; last end: {Reason}", _name, slot.Index, spec.Restart.Limit, Durations.Text(spec.Restart.LimitInterval), Durations.Text(slot.NextTry!.Value - now), slot.LastExit?.Text);
                }
                else
                {
                    log.Warning("service {Service}: worker {Slot} keeps failing ({Failures} in a row): next try in {Wait}", _name, slot.Index, slot.Failures, Durations.Text(slot.NextTry!.Value - now));
                }

                break;
            case ServiceReport.SlotFinished:
                log.Information("service {Service}: worker {Slot} {Reason} and is not started again (restart.policy)", _name, report.Slot!.Index, report.Slot.LastExit?.Text);
                break;
            case ServiceReport.RolloutStarted:
                log.Information("service {Service}: roll-out of generation {To} over {From} begins", _name, rollout!.To, rollout.From);
                break;
            case ServiceReport.RolloutProgressed:
                log.Debug("service {Service}: roll-out of generation {To}: {Phase}", _name, rollout!.To, rollout.Phase.ToString());
                break;
            case ServiceReport.RolloutWaiting:
                log.Information("service {Service}: roll-out of generation {To} waits until generation {Awaited} has left (rollout.max_generations is {Max})", _name, rollout!.To, string.Join(", ", rollout.WaitsFor), spec.Rollout.MaxGenerations);
                break;
            case ServiceReport.RolloutCanary:
                log.Information("service {Service}: roll-out of generation {To}: the canary of {Canary} serves and is watched; {Until}", _name, rollout!.To, rollout.Canary, RolloutWords.Until(_name, rollout, now));
                break;
            case ServiceReport.RolloutPromoted:
                log.Information("service {Service}: roll-out of generation {To}: the canary is promoted: {Reason}", _name, rollout!.To, report.Text);
                break;
            case ServiceReport.RolloutFailing:
                log.Error("service {Service}: roll-out of generation {To} fails: {Reason}", _name, rollout!.To, report.Text);
                break;
            case ServiceReport.RolloutEnded:
                var elapsed = Durations.Text((rollout!.EndedAt ?? now) - rollout.StartedAt);
                if (rollout.Phase == RolloutPhase.Done)
                {
                    log.Information("service {Service}: generation {To} serves; the roll-out took {Elapsed}", _name, rollout.To, elapsed);
                }
                else
                {
                    log.Warning("service {Service}: roll-out of generation {To} ended as {Phase} after {Elapsed}: {Reason}", _name, rollout.To, rollout.Phase.ToString(), elapsed, rollout.Reason);
                }

                break;
            case ServiceReport.ServiceStopped:
                log.Information("service {Service}: stopped", _name);
                break;
            case ServiceReport.WorkerConnections:
                log.Debug("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) {Connections}", _name, worker!.Slot, worker.Pid, worker.Generation, report.Text);
                break;
            case ServiceReport.WorkerKeepsAccepting:
                log.ForContext("LISTEND_LISTENER", report.Drain!.KeepsAccepting!.Listener)
                    .Warning("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) {Evidence}; its program has to close that listener on {Signal} (stop_signal), or new connections go to a worker that is about to end", _name, worker!.Slot, worker.Pid, worker.Generation, report.Text, Signals.Name(spec.StopSignal));
                break;
            case ServiceReport.WorkerCut:
                log.ForContext("LISTEND_LISTENER", string.Join(",", report.Drain!.ByListener().Select(one => one.Listener)))
                    .Warning("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) {Connections}", _name, worker!.Slot, worker.Pid, worker.Generation, report.Text);
                break;
            case ServiceReport.DemandArrived:
                log.Information("service {Service}: a connection waits; it is started", _name);
                break;
            case ServiceReport.ServiceIdle:
                log.Information("service {Service}: no connection for {Idle} (stop_when_idle): its workers leave; the next connection starts it again", _name, Durations.Text(spec.StopWhenIdle));
                break;
            case ServiceReport.HookFailed:
                log.Error("service {Service}: {Failure}", _name, report.Text);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(report), report.Report, null);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _limit.Dispose();

    private static string Subject(int worker) => worker.ToString(CultureInfo.InvariantCulture);

    private ILogger About(ReportEffect report)
    {
        var log = _log.Kind(KindOf(report));
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

    private static string KindOf(ReportEffect report) => report.Report switch
    {
        ServiceReport.WorkerSpawned => MessageIds.WorkerStarted,
        ServiceReport.WorkerReady => MessageIds.WorkerReady,
        ServiceReport.WorkerStartTimedOut => MessageIds.WorkerStartTimedOut,
        ServiceReport.WorkerHung => MessageIds.WorkerHung,
        ServiceReport.WorkerDraining => MessageIds.WorkerDraining,
        ServiceReport.WorkerKilled => MessageIds.WorkerKilled,
        ServiceReport.WorkerLeft => MessageIds.WorkerExited,
        ServiceReport.WorkerDied => report.Worker!.Pid is null ? MessageIds.WorkerStartFailed : MessageIds.WorkerDied,
        ServiceReport.SlotBackingOff => report.Slot!.LimitReached ? MessageIds.WorkerLimited : MessageIds.WorkerBackingOff,
        ServiceReport.SlotFinished => MessageIds.WorkerFinished,
        ServiceReport.RolloutStarted => MessageIds.RolloutStarted,
        ServiceReport.RolloutProgressed => MessageIds.RolloutProgressed,
        ServiceReport.RolloutWaiting => MessageIds.RolloutWaiting,
        ServiceReport.RolloutCanary => MessageIds.RolloutCanary,
        ServiceReport.RolloutPromoted => MessageIds.RolloutPromoted,
        ServiceReport.RolloutFailing => MessageIds.RolloutFailing,
        ServiceReport.RolloutEnded => report.Rollout!.Phase switch
        {
            RolloutPhase.Done => MessageIds.RolloutDone,
            RolloutPhase.RolledBack => MessageIds.RolloutRolledBack,
            RolloutPhase.Failed => MessageIds.RolloutFailed,
            _ => MessageIds.RolloutSuperseded,
        },
        ServiceReport.ServiceStopped => MessageIds.ServiceStopped,
        ServiceReport.WorkerConnections => MessageIds.WorkerConnections,
        ServiceReport.WorkerKeepsAccepting => MessageIds.WorkerKeepsAccepting,
        ServiceReport.WorkerCut => MessageIds.WorkerCut,
        ServiceReport.DemandArrived => MessageIds.ServiceDemanded,
        ServiceReport.ServiceIdle => MessageIds.ServiceIdle,
        ServiceReport.HookFailed => MessageIds.HookFailed,
        _ => throw new ArgumentOutOfRangeException(nameof(report), report.Report, null),
    };
}
