using System.Globalization;
using Serilog.Core;
using Serilog.Events;
using Supervisor.Linux.Output;

namespace Supervisor.Daemon.Logging;

/// <summary>Writes log events to the journal by its native protocol. Each property becomes a field with a name in capitals.</summary>
internal sealed class JournalSink : ILogEventSink, IDisposable
{
    private readonly JournalSocket _journal = new();

    public void Emit(LogEvent logEvent)
    {
        var entry = new JournalEntry();
        entry.Add("MESSAGE", logEvent.RenderMessage(CultureInfo.InvariantCulture));
        entry.Add("PRIORITY", Priority(logEvent.Level));
        entry.Add("SYSLOG_IDENTIFIER", "listend");
        foreach (var (name, value) in logEvent.Properties)
        {
            if (char.IsAsciiLetterUpper(name[0]) && name.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_')
                && value is ScalarValue { Value: { } scalar })
            {
                entry.Add(name, Convert.ToString(scalar, CultureInfo.InvariantCulture) ?? "");
            }
        }

        if (logEvent.Exception is { } exception)
        {
            entry.Add("EXCEPTION", exception.ToString());
        }

        _journal.Send(entry);
    }

    public void Dispose() => _journal.Dispose();

    private static string Priority(LogEventLevel level) => level switch
    {
        LogEventLevel.Fatal => "2",
        LogEventLevel.Error => "3",
        LogEventLevel.Warning => "4",
        LogEventLevel.Information => "6",
        _ => "7",
    };
}
