using System.Globalization;
using Supervisor.Core;

namespace Supervisor.Linux.Output;

/// <summary><c>log = "journal"</c>: each line becomes an entry with the worker's priority and the service's name.</summary>
internal sealed class JournalOutput(string service, JournalSocket journal) : IOutputSink
{
    /// <inheritdoc/>
    public void Write(IReadOnlyList<OutgoingLine> lines)
    {
        // A piece without text is only the end of a line that was sent.
        foreach (var line in lines.Where(line => line is not { Text: "", Continues: true }))
        {
            journal.Send(Entry(service, line));
        }
    }

    /// <inheritdoc/>
    public void Dropped(long lines)
    {
        const int warning = 4;
        var text = string.Create(CultureInfo.InvariantCulture, $"dropped {lines} lines: the journal accepts them too slowly");
        journal.Send(Entry(service, new OutgoingLine(0, 0, warning, text)));
    }

    /// <inheritdoc/>
    public void Dispose() => journal.Dispose();

    /// <summary>The journal entry for a line.</summary>
    internal static JournalEntry Entry(string service, OutgoingLine line)
    {
        var entry = new JournalEntry();
        entry.Add("MESSAGE", line.Text);
        entry.Add("PRIORITY", line.Priority.ToString(CultureInfo.InvariantCulture));
        entry.Add("SYSLOG_IDENTIFIER", service);
        entry.Add("LISTEND_SERVICE", service);
        entry.Add("MESSAGE_ID", MessageIds.WorkerOutput);
        if (line.Pid > 0)
        {
            var pid = line.Pid.ToString(CultureInfo.InvariantCulture);
            entry.Add("SYSLOG_PID", pid);
            entry.Add("LISTEND_WORKER_PID", pid);
            entry.Add("LISTEND_GENERATION", line.Generation.ToString(CultureInfo.InvariantCulture));
        }

        return entry;
    }
}
