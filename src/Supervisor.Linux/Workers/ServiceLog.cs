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

    /// <summary>
    /// A log whose workers' lines go to <paramref name="output"/>, or with the daemon's own; the queue stays the
    /// caller's.
    /// </summary>
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

    public void Output(WorkerState worker, int pid, string line, bool isError) =>
        Output(worker.Slot, worker.Generation, pid, line, isError);

    public void HookOutput(HookEffect hook, int pid, string line, bool isError) => Output(null, hook.Generation, pid, line, isError);

    public void HookStarted(HookEffect hook, int pid) =>
        _log.Kind(MessageIds.HookStarted).Generation(hook.Generation)
            .Debug("service {Service}: {Hook} runs (pid {Pid}, generation {Generation})", _name, hook.Hook.Setting(), pid, hook.Generation);

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
            .Warning("service {Service}: a notify message from pid {Sender} for worker pid {Pid} was refused: {Reason}{LeftOut}", _name,
                sender, pid, reason, leftOut));
    }

    public void MainProcess(WorkerState worker, int session, int before, int pid) =>
        _limit.Write(Subject(session), "main", (log, leftOut) => About(log.Kind(MessageIds.WorkerMainChanged), worker, pid)
        .Information("service {Service}: worker {Slot} (pid {Before}, generation {Generation}): its main process is pid {Pid} from now on (MAINPID){LeftOut}", _name, worker.Slot, before, worker.Generation, pid, leftOut), MostAtOnce);

    /// <summary>A process outlived its worker, known by its token, or else by its user and the listener that it holds, if any.</summary>
    public void StrayKilled(int worker, int pid, string? command, string? listener, bool byToken) =>
        _limit.Write(Subject(worker), "stray", (limited, leftOut) =>
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
            .Information("service {Service}: pid {Pid} {Reason}; the worker continues as pid {Main}", _name, pid, how, main);

    public void AwaitsMain(WorkerState worker, int pid) =>
        About(_log.Kind(MessageIds.WorkerMainAwaited), worker, pid)
            .Information("service {Service}: worker {Slot} (pid {Pid}, generation {Generation}) exited with status 0 and left a process behind: it has until start_timeout to name it by MAINPID", _name, worker.Slot, pid, worker.Generation);

    /// <summary>Logs a report of the service, which is in that state now.</summary>
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
                : string.Join(",", drain.ByListener().Select(one => one.Listener)));
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

    /// <summary>How much a report matters, and its MESSAGE_ID.</summary>
    private static (LogEventLevel Level, string Kind) KindOf(ReportEffect report) => report.Report switch
    {
        ServiceReport.WorkerSpawned => (LogEventLevel.Debug, MessageIds.WorkerStarted),
        ServiceReport.WorkerReady => (LogEventLevel.Information, MessageIds.WorkerReady),
        ServiceReport.WorkerStartTimedOut => (LogEventLevel.Error, MessageIds.WorkerStartTimedOut),
        ServiceReport.WorkerHung => (LogEventLevel.Error, MessageIds.WorkerHung),
        ServiceReport.WorkerDraining =>
            (LogEventLevel.Information, report.Worker!.EndReason == EndReason.Requested ? MessageIds.WorkerDraining
                : MessageIds.WorkerStopping),
        ServiceReport.WorkerKilled => (LogEventLevel.Warning, MessageIds.WorkerKilled),
        ServiceReport.WorkerLeft => (LogEventLevel.Information, MessageIds.WorkerExited),
        ServiceReport.WorkerDied =>
            (LogEventLevel.Error, report.Worker!.Pid is null ? MessageIds.WorkerStartFailed : MessageIds.WorkerDied),
        ServiceReport.SlotBackingOff => report.Slot!.Phase == SlotPhase.Limited
            ? (LogEventLevel.Error, MessageIds.WorkerLimited)
            : (LogEventLevel.Warning, MessageIds.WorkerBackingOff),
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
        ServiceReport.ServiceIdle => (LogEventLevel.Information, MessageIds.ServiceIdle),
        ServiceReport.HookFailed => (LogEventLevel.Error, MessageIds.HookFailed),
        _ => throw new ArgumentOutOfRangeException(nameof(report), report.Report, null),
    };
}
