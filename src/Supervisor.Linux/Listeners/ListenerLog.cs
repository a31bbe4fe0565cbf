using Serilog;
using Serilog.Events;
using Serilog.Parsing;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Output;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Listeners in the log: the effective address at Information, each option at Debug. A clamp, a drift and a rejected option are
/// Warnings, because a user relies on a value that is not in effect. ERRNO is a number, as in systemd.journal-fields(7); the
/// message has its name.
/// </summary>
internal sealed class ListenerLog(ILogger log, TimeProvider time)
{
    private static readonly MessageTemplate MadeTemplate = new MessageTemplateParser(
        ).Parse("listener {Listener}: {State} on {Address} ({Origin})");

    private static readonly ScalarValue Ready = new(MessageIds.ListenerReady);
    private static readonly ScalarValue Listening = new("listening");
    private static readonly ScalarValue Created = new(HandleOrigin.Created.ToWireName());
    private static readonly ScalarValue NoAddress = new("no address");

    /// <summary>Limits the lines that holders of a socket can cause; null: no limit.</summary>
    public LogLimit? Limit { get; init; }

    public void Entry(ListenerHandle handle, HistoryFact entry)
    {
        var level = entry switch
        {
            { Verdict: Verdict.Refused or Verdict.Drifted or Verdict.Ignored } => LogEventLevel.Warning,
            { Phase: HandlePhase.Repair } => LogEventLevel.Information,
            { Verdict: Verdict.Adjusted, Call: "listen" } => LogEventLevel.Warning,
            { Verdict: Verdict.Adjusted, Note: { } note } when note.StartsWith("capped", StringComparison.Ordinal) => LogEventLevel.Warning,
            { Verdict: Verdict.Inherited, Requested: not null } => LogEventLevel.Warning,
            _ => LogEventLevel.Debug,
        };
        if (!log.IsEnabled(level))
        {
            return;
        }

        if (entry.Phase is HandlePhase.Drift or HandlePhase.Repair && Limit is { } limit)
        {
            // Any holder of the socket can cause these lines.
            limit.Write(
                handle.Name, $"{entry.Phase.ToWireName()} {entry.Option}", (_, leftOut) => Write(handle, entry, level, leftOut), first: 5);
        }
        else
        {
            Write(handle, entry, level, "");
        }
    }

    private void Write(ListenerHandle handle, HistoryFact entry, LogEventLevel level, string leftOut)
    {
        log.Listener(handle.Name)
            .ForContext("LISTEND_PHASE", entry.Phase.ToWireName())
            .ForContext("LISTEND_CALL", entry.Call)
            .ForContext("LISTEND_OPTION", entry.Option)
            .ForContext("LISTEND_REQUESTED", entry.Requested?.ToString())
            .ForContext("LISTEND_EFFECTIVE", entry.Effective?.ToString())
            .ForContext("ERRNO", entry.Errno is { } errno ? ErrnoNames.Number(errno) : null)
            .ForContext("LISTEND_SERVICE", entry.Actor?.Service)
            .ForContext("LISTEND_WORKER_PID", entry.Actor?.Service is null ? null : entry.Actor.Pid)
            .ForContext("LISTEND_GENERATION", entry.Actor?.Generation)
            .Kind(KindOf(entry, level))
            .Write(level, "listener {Listener}: {Step}{LeftOut}", handle.Name, Sentence(entry), leftOut);
    }

    private static string KindOf(HistoryFact entry, LogEventLevel level) => entry switch
    {
        { Phase: HandlePhase.Drift } => MessageIds.ListenerDrifted,
        { Phase: HandlePhase.Repair } => MessageIds.ListenerRepaired,
        { Verdict: Verdict.Refused or Verdict.Ignored } => MessageIds.ListenerOptionRefused,
        { Verdict: Verdict.Adjusted } when level == LogEventLevel.Warning => MessageIds.ListenerClamped,
        { Verdict: Verdict.Inherited } when level == LogEventLevel.Warning => MessageIds.ListenerInheritedOption,
        _ => MessageIds.ListenerOption,
    };

    /// <summary>Logs that a listener has its socket, or why it has none.</summary>
    public void Result(ListenerHandle handle)
    {
        if (handle.Failure is null)
        {
            Made(handle);
        }
        else
        {
            Failed(handle);
        }
    }

    /// <summary>Built at once, not by a logger for each property: there may be thousands in a row.</summary>
    public void Made(ListenerHandle handle)
    {
        if (!log.IsEnabled(LogEventLevel.Information))
        {
            return;
        }

        var name = new ScalarValue(handle.Name);
        var effective = new ScalarValue(handle.EffectiveText);
        var properties = new Dictionary<string, LogEventPropertyValue>(8)
        {
            ["Listener"] = name,
            ["State"] = handle.Listens ? Listening : new ScalarValue(handle.StateWord()),
            ["Address"] = handle.Effective is null ? NoAddress : effective,
            ["Origin"] = handle.Origin == HandleOrigin.Created ? Created : new ScalarValue(handle.Origin.ToWireName()),
            ["LISTEND_LISTENER"] = name,
            ["LISTEND_REQUESTED"] = new ScalarValue(handle.Requested),
            ["LISTEND_EFFECTIVE"] = effective,
            ["MESSAGE_ID"] = Ready,
        };
        log.Write(LogEvent.UnstableAssembleFromParts(
            time.GetLocalNow(), LogEventLevel.Information, null, MadeTemplate, properties, default, default));
    }

    private void Failed(ListenerHandle handle)
    {
        var about = log.Kind(MessageIds.ListenerFailed).Listener(handle.Name)
            .ForContext("LISTEND_REQUESTED", handle.Requested)
            .ForContext("ERRNO", handle.Failure!.Errno)
            .ForContext("LISTEND_CAUSE", handle.Diagnosis?.Cause?.ToWireName());
        if (handle.Diagnosis is { Cause: { } cause } diagnosis)
        {
            about.Error(
                "listener {Listener}: {Failure}: {Verdict} ({Cause}); {Advice}",
                handle.Name, handle.Failure.ToString(), diagnosis.Verdict, cause.ToWireName(), diagnosis.Advice);
        }
        else
        {
            about.Error(
                "listener {Listener}: cannot use the given descriptor: {Failure}; pass another descriptor, or none",
                handle.Name, handle.Failure.ToString());
        }
    }

    public void Waiting(ListenerHandle handle, string span) =>
        About(handle, MessageIds.ListenerWaiting).Information(
            "listener {Listener}: waiting up to {Span} for {Address}: {Verdict}",
            handle.Name, span, handle.Spec.Address.ToString(), handle.Diagnosis!.Verdict);

    public void GivenUp(ListenerHandle handle, string span) =>
        About(handle, MessageIds.ListenerGivenUp).Error(
            "listener {Listener}: gave up on {Address} after {Span}: {Verdict}; {Advice}",
            handle.Name, handle.Spec.Address.ToString(), span, handle.Diagnosis!.Verdict, handle.Diagnosis.Advice);

    private ILogger About(ListenerHandle handle, string kind) =>
        log.Kind(kind).Listener(handle.Name)
            .ForContext("LISTEND_REQUESTED", handle.Spec.Address.ToString())
            .ForContext("LISTEND_CAUSE", handle.Diagnosis?.Cause?.ToWireName())
            .ForContext("ERRNO", handle.Failure?.Errno);

    private static string Sentence(HistoryFact entry)
    {
        var values = (entry.Requested, entry.Effective) switch
        {
            (null, null) => "",
            ({ } asked, { } got) when asked == got => $" {asked}",
            ({ } asked, { } got) => $" {asked} -> {got}",
            ({ } asked, null) => $" {asked}",
            (null, { } got) => $" {got}",
        };
        var note = entry.Note is null ? "" : $" ({entry.Note})";
        return $"{entry.Call}{(entry.Option is null ? "" : " " + entry.Option)}{values}: {entry.Errno ?? entry.Verdict.ToWireName()}{note}";
    }
}
