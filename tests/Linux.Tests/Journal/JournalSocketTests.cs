using System.Net.Sockets;
using System.Text;
using Supervisor.Linux.Output;
using Supervisor.Linux.Tests.Kernel;

namespace Supervisor.Linux.Tests.Journal;

/// <summary>The connection to the journal, which can disappear and return.</summary>
public sealed class JournalSocketTests : KernelTest
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"journal-{Guid.NewGuid():N}");

    [Fact]
    public void A_recreated_journal_socket_gets_the_next_entry()
    {
        using var journal = new JournalSocket(_path);
        Assert.False(journal.IsConnected);
        journal.Send(Entry("nobody is there"));

        foreach (var text in new[] { "the first", "the second" })
        {
            using var receiver = Receive();
            journal.Send(Entry(text));
            Assert.True(journal.IsConnected);
            Assert.Equal($"MESSAGE={text}\n", Read(receiver));
            journal.Send(Entry("again"));
            Assert.Equal("MESSAGE=again\n", Read(receiver));
        }

        journal.Send(Entry("nobody is there"));
        Assert.False(journal.IsConnected);
    }

    private static JournalEntry Entry(string text)
    {
        var entry = new JournalEntry();
        entry.Add("MESSAGE", text);
        return entry;
    }

    private static string Read(Socket receiver)
    {
        Span<byte> buffer = stackalloc byte[256];
        return Encoding.UTF8.GetString(buffer[..receiver.Receive(buffer)]);
    }

    private Socket Receive()
    {
        File.Delete(_path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5000 };
        socket.Bind(new UnixDomainSocketEndPoint(_path));
        return socket;
    }
}
