using System.Text;
using Supervisor.Core.Protocols;

namespace Supervisor.Core.Tests.Handoff;

/// <summary>The lines that workers of Einhorn write to its command socket.</summary>
public class EinhornMessageTests
{
    [Theory]
    [InlineData("{\"command\":\"worker:ack\", \"pid\":12}", "worker:ack", 12)]
    [InlineData("{\"pid\": 12, \"command\": \"worker:ack\"}\r", "worker:ack", 12)]
    [InlineData("{command: worker:ping, pid: 12, request_id: 'a, b'}", "worker:ping", 12)]
    [InlineData("---%0Acommand: worker:ack%0Apid: 12%0A", "worker:ack", 12)]
    [InlineData("--- %0Apid: 12%0Acommand: \"worker:ack\"%0A...%0A", "worker:ack", 12)]
    [InlineData("command: 100%25%0apid: x", "100%", null)]
    [InlineData("{\"command\":\"a\",\"command\":\"b\",\"pid\":-1}", "b", null)]
    public void A_mapping_has_a_command_and_a_process_id(string line, string command, int? pid)
    {
        Assert.True(EinhornMessage.TryParse(Encoding.UTF8.GetBytes(line), out var message, out var problem), problem);
        Assert.Equal((command, pid), (message.Command, message.Pid));
        Assert.Equal((command == "worker:ack", command == "worker:ping"), (message.IsAck, message.IsPing));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{")]
    [InlineData("\"command\"")]
    [InlineData("{\"comand\":\"worker:ack\",\"pid\":12}")]
    [InlineData("{\"a\":{\"command\":\"worker:ack\"}}")]
    public void Another_line_is_rejected(string line)
    {
        Assert.False(EinhornMessage.TryParse(Encoding.UTF8.GetBytes(line), out _, out var problem));
        Assert.Equal("it has no command", problem);
    }

    [Fact]
    public void Bytes_that_are_not_text_are_rejected() => Assert.False(EinhornMessage.TryParse([0xFF, 0xFE], out _, out _));
}
