using System.Text;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;
using Supervisor.Core;

namespace Supervisor.Daemon.Logging;

/// <summary>
/// Escapes the values of events, so each event is one line of a text log. Process names, paths and workers' output are not
/// trusted. The sink behind adds colours. An exception follows on its own lines: its message is escaped too, and its stack
/// trace keeps its line breaks, because it has only names of this program.
/// </summary>
internal sealed class EscapedTextSink(ILogEventSink sink) : ILogEventSink, IDisposable
{
    public void Emit(LogEvent logEvent) => sink.Emit(new LogEvent(
        logEvent.Timestamp,
        logEvent.Level,
        logEvent.Exception is { } exception ? new EscapedException(exception) : null,
        Escaped(logEvent.MessageTemplate),
        logEvent.Properties.Select(property => new LogEventProperty(property.Key, Escaped(property.Value)))));

    public void Dispose() => (sink as IDisposable)?.Dispose();

    private static MessageTemplate Escaped(MessageTemplate template) =>
        ReferenceEquals(Printable.Line(template.Text), template.Text)
            ? template
            : new MessageTemplate(
                template.Text, template.Tokens.Select(token => token is TextToken text ? new TextToken(Printable.Line(text.Text)) : token));

    private static LogEventPropertyValue Escaped(LogEventPropertyValue value) => value switch
    {
        ScalarValue { Value: string text } =>
            Printable.Line(text) is var line && ReferenceEquals(line, text) ? value : new ScalarValue(line),
        ScalarValue { Value: char one } => new ScalarValue(Printable.Line(one.ToString())),

        // Numbers and times, which a template may format. Serilog converts any other type to a string.
        ScalarValue => value,
        SequenceValue sequence => new SequenceValue(sequence.Elements.Select(Escaped)),
        _ => new ScalarValue(Printable.Line(value.ToString())),
    };

    /// <summary>The text of Exception.ToString with escaped messages.</summary>
    private sealed class EscapedException(Exception exception) : Exception
    {
        public override string ToString()
        {
            var text = new StringBuilder();
            for (var one = exception; one is not null; one = one.InnerException)
            {
                text.Append(one == exception ? "" : "\n ---> ").Append(one.GetType().FullName).Append(": ")
                    .Append(Printable.Line(one.Message));
                if (one.StackTrace is { } trace)
                {
                    text.Append('\n').Append(Printable.Of(trace, keepLines: true));
                }
            }

            return text.ToString();
        }
    }
}
