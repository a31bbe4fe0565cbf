using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace Supervisor.Daemon.Logging;

/// <summary>
/// Renders messages as in the text log: <c>listener web: listening</c>. By default Serilog puts each string between quotes.
/// The template's text stays, because it identifies the kind of an event. A field without a value is left out.
/// </summary>
internal sealed class LiteralTextSink(ILogEventSink sink) : ILogEventSink, IDisposable
{
    public void Emit(LogEvent logEvent) => sink.Emit(new LogEvent(
        logEvent.Timestamp,
        logEvent.Level,
        logEvent.Exception,
        new MessageTemplate(
            logEvent.MessageTemplate.Text, logEvent.MessageTemplate.Tokens.Select(
                token => IsText(token, logEvent, out var name) ? new PropertyToken(name, token.ToString()!, "l") : token)),
        logEvent.Properties.Where(property => property.Value is not ScalarValue { Value: null })
            .Select(property => new LogEventProperty(property.Key, property.Value))));

    public void Dispose() => (sink as IDisposable)?.Dispose();

    // The format applies to strings only.
    private static bool IsText(MessageTemplateToken token, LogEvent logEvent, out string name)
    {
        name = (token as PropertyToken)?.PropertyName ?? "";
        return token is PropertyToken { Format: null, Alignment: null }
            && logEvent.Properties.GetValueOrDefault(name) is ScalarValue { Value: string };
    }
}
