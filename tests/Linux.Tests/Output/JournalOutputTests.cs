using System.Text;
using Supervisor.Core;
using Supervisor.Linux.Output;

namespace Supervisor.Linux.Tests.Output;

/// <summary>A worker's line as a journal entry.</summary>
public class JournalOutputTests
{
    [Fact]
    public void Each_line_is_a_journal_entry_under_the_services_name() =>
        Assert.Equal(
            "MESSAGE=it is late\nPRIORITY=3\nSYSLOG_IDENTIFIER=api\nLISTEND_SERVICE=api\nMESSAGE_ID=" + MessageIds.WorkerOutput
                + "\nSYSLOG_PID=42\nLISTEND_WORKER_PID=42\nLISTEND_GENERATION=7\n",
            Encoding.UTF8.GetString(JournalOutput.Entry("api", new OutgoingLine(42, 7, 3, "it is late")).Data));
}
