using System.Text;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>Notify messages: their effect, their valid senders, and their descriptors.</summary>
public class NotifySocketTests : KernelTest
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<NotifyMessage> _messages = [];
    private readonly List<(string Reason, int Sender)> _refused = [];
    private readonly LoopUnderTest _loop = new();

    public override void Dispose()
    {
        _loop.Dispose();
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public void A_message_of_the_worker_arrives()
    {
        using var socket = Create();
        Say("READY=1\nSTATUS=serving = 3\n\nX_OWN=1\nSTATUS=last"u8);
        Say("STOPPING=1"u8);
        Drain(socket);
        Assert.Empty(_refused);
        Assert.Equal(
            [(true, false, "serving = 3"), (false, true, null)],
            _messages.Select(message => (message.IsReady, message.IsStopping, message.Status)));
    }

    [Theory]
    [InlineData("READY=1\0STATUS=x")]
    [InlineData("\0\0")]
    public void A_datagram_with_a_NUL_before_its_end_is_rejected(string text)
    {
        using var socket = Create();
        Say(Encoding.UTF8.GetBytes(text));
        Drain(socket);
        Assert.Empty(_messages);
        Assert.Equal(Processes.CurrentPid, Assert.Single(_refused).Sender);
    }

    [Fact]
    public void An_empty_datagram_is_ignored()
    {
        using var socket = Create();
        Say([]);
        Say("READY=1"u8);
        Drain(socket);
        Assert.Contains(_messages, message => message.IsReady);
    }

    [Theory]
    [InlineData(NotifyMessage.MaxBytes, true)]
    [InlineData(NotifyMessage.MaxBytes + 1, false)]
    [InlineData(60_000, false)]
    public void An_oversized_message_is_rejected(int size, bool fits)
    {
        using var socket = Create();
        Say(Encoding.UTF8.GetBytes("STATUS=" + new string('x', size - 7)));
        Say("READY=1"u8);
        Drain(socket);
        Assert.Equal(fits ? 0 : 1, _refused.Count);
        Assert.True(_messages[^1].IsReady);
    }

    /// <summary>This process is neither the worker nor its descendant, so its messages have no effect.</summary>
    [Fact]
    public void A_message_of_another_process_is_rejected()
    {
        using var socket = Create();
        var worker = Start("exec /bin/sleep 1000", out var input);
        input.Dispose();
        Say("READY=1"u8);
        Drain(socket, worker.Pid);
        Assert.Empty(_messages);
        Assert.Equal(Processes.CurrentPid, Assert.Single(_refused).Sender);
        Processes.Signal(worker.Pidfd, 9);
        Child.End(worker);
    }

    /// <summary>The descriptors of every message are closed, also of rejected ones: the base class counts them.</summary>
    [Theory]
    [InlineData("FDSTORE=1")]
    [InlineData("nothing")]
    public void Descriptors_attached_to_a_message_are_closed(string text)
    {
        using var socket = Create();
        using var sender = Loopback.Socket(1, 2);
        var before = 0;
        for (var i = 0; i < 20; i++)
        {
            // The disposer runs from the first message on.
            before = i == 1 ? ProcessDescriptors.Open().Count : before;
            Libc.SendDescriptors(sender, Encoding.UTF8.GetBytes(text), Raw, sender.Number, sender.Number, sender.Number);
            Drain(socket);
            _loop.Until(() => _loop.Disposer.Jobs == 0);
            Assert.True(i == 0 || before == ProcessDescriptors.Open().Count);
        }
    }

    /// <summary>
    /// BARRIER=1: the sender waits until its end of a pipe is closed, which shows that all earlier messages were handled.
    /// </summary>
    [Fact]
    public void A_barrier_is_released_when_it_is_read()
    {
        using var socket = Create();
        using var sender = Loopback.Socket(1, 2);
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using (reader)
        {
            using (writer)
            {
                Libc.SendDescriptors(sender, "BARRIER=1"u8, Raw, writer!.Number);
            }

            Assert.False(Libc.IsReadable(reader!));
            Drain(socket);
            Assert.True(Assert.Single(_messages).IsBarrier);
            Assert.Equal(0, Files.Read(reader!, new byte[1], out _));
        }
    }

    [Fact]
    public void The_maximum_of_attached_descriptors_is_closed()
    {
        using var socket = Create();
        using var sender = Loopback.Socket(1, 2);
        Libc.SendDescriptors(sender, "FDSTORE=1"u8, Raw, [.. Enumerable.Repeat(sender.Number, 253)]);
        var received = 0;
        Drain(socket, onDescriptors: descriptors => received += descriptors.Count);
        Assert.Empty(_refused);
        Assert.Single(_messages);
        Assert.Equal(253, received);
    }

    /// <summary>
    /// Closing one of these descriptors blocks for a day. The loop does not block, whatever the message and its sender are.
    /// </summary>
    [Theory]
    [InlineData("BARRIER=1", true)]
    [InlineData("FDSTORE=1", true)]
    [InlineData("=", true)]
    [InlineData("READY=1", false)]
    public void A_lingering_descriptor_does_not_block_the_notify_socket(string text, bool isOurs)
    {
        using var socket = Create();
        using var sender = Loopback.Socket(1, 2);
        using var lingering = new Lingering();
        lingering.Give(given => Libc.SendDescriptors(sender, Encoding.UTF8.GetBytes(text), Raw, given.Number));
        Say("STATUS=after"u8);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Drain(socket, isOurs ? null : 1);
        Assert.True(clock.Elapsed < Patience, clock.Elapsed.ToString());
        _loop.Until(() => _loop.Disposer.Jobs == 0);
        Assert.Equal(isOurs, _messages.Exists(message => message.Status == "after"));
    }

    /// <summary>Neither is known before: the message waits for both results.</summary>
    [Fact]
    public void A_message_waits_until_its_sender_and_its_main_process_are_examined()
    {
        using var socket = Create();
        Say("READY=1\nMAINPID=1"u8);
        Assert.Equal([Processes.CurrentPid, 1], Examine(socket, 1));
    }

    [Fact]
    public void A_sender_of_several_messages_with_descriptors_is_examined_once()
    {
        using var socket = Create();
        using var sender = Loopback.Socket(1, 2);
        for (var i = 0; i < 5; i++)
        {
            Libc.SendDescriptors(sender, i % 2 == 0 ? "FDSTORE=1"u8 : "READY=1"u8, Raw, sender.Number);
        }

        Assert.Equal([Processes.CurrentPid], Examine(socket, 5));
    }

    /// <summary>
    /// As many messages as the socket's queue holds: some are read now, the rest at the next wake-up, without blocking.
    /// </summary>
    [Fact]
    public void A_flood_is_read_in_portions()
    {
        using var socket = Create();
        using var sender = Loopback.Socket(1, 2, nonBlocking: true);
        Assert.Null(Sockets.Connect(sender, Raw));
        var (sent, taken) = (0, 0);
        for (var wake = 0; wake < 50; wake++)
        {
            while (Sockets.Send(sender, "WATCHDOG=1"u8) is null)
            {
                sent++;
            }

            Drain(socket);
            Assert.InRange(_messages.Count - taken, 1, 64);
            taken = _messages.Count;
        }

        while (Libc.IsReadable(socket.Descriptor))
        {
            Drain(socket);
        }

        Assert.Equal(sent, _messages.Count);
    }

    [Fact]
    public void A_child_of_the_worker_can_send_messages_for_the_worker()
    {
        using var socket = Create();

        // The shell stays, and its child sends the message.
        var worker = Start($"/usr/bin/env python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
            + $"s.sendto(b\"READY=1\", \"{socket.Path}\"); sys.stdin.read()'; exit 0", out var input);
        Libc.WaitFor(socket.Descriptor);
        Drain(socket, worker.Pid);
        input.Dispose();
        Assert.Equal(0, Child.End(worker).Status);
        Assert.True(Assert.Single(_messages).IsReady);
    }

    [Fact]
    public void The_notify_socket_belongs_only_to_the_worker()
    {
        using var mask = new Umask(0);
        using (var socket = NotifySocket.Create(_directory["n"], 65534, out var failure)!)
        {
            Assert.Null(failure);
            Assert.Null(Files.GetStatus(_directory["n"], out var status));
            Assert.Equal((65534u, 0x180), (status.Uid, status.Permissions));
        }

        Assert.Empty(_directory.Files);
    }

    [Fact]
    public void A_notify_socket_that_cannot_be_created_leaves_no_file()
    {
        Assert.Null(NotifySocket.Create("/dev/null/n", null, out var missing));
        Assert.Equal("ENOTDIR", missing!.Name);
        Assert.Null(NotifySocket.Create(_directory[new string('x', 120)], null, out var tooLong));
        Assert.Equal("ENAMETOOLONG", tooLong!.Name);
        File.SetUnixFileMode(_directory.Path, (UnixFileMode)0x1FF);
        KernelThread.AsNobody(() =>
        {
            Assert.Null(NotifySocket.Create(_directory["n"], 1, out var refused));
            Assert.Equal(("fchownat", "EPERM"), (refused!.Call, refused.Name));
        });
        Assert.Empty(_directory.Files);
    }

    /// <summary>A file left by an earlier daemon does not matter.</summary>
    [Fact]
    public void A_leftover_notify_socket_file_is_replaced()
    {
        File.WriteAllText(_directory["n"], "");
        using var socket = Create();
        Say("READY=1"u8);
        Drain(socket);
        Assert.Single(_messages);
    }

    private byte[] Raw => Sockaddr.Encode(Given.Address($"unix-dgram://{_directory["n"]}"))!;

    private NotifySocket Create()
    {
        var socket = NotifySocket.Create(_directory["n"], null, out var failure, _loop.Disposer, "test");
        Assert.True(socket is not null, failure?.ToString());
        return socket;
    }

    private void Say(ReadOnlySpan<byte> data)
    {
        using var sender = Loopback.Socket(1, 2);
        Libc.SendTo(sender, data, Raw);
    }

    /// <summary>Everything received, including descriptors.</summary>
    private void Drain(NotifySocket socket, int? worker = null, Action<IList<DescriptorHandle>>? onDescriptors = null)
    {
        var isWatched = false;
        while (true)
        {
            var idle = new TaskCompletionSource();
            var isDone = _loop.On(() =>
            {
                if (!isWatched)
                {
                    // Do not use the loop's own probe: this test must see the result at once.
                    isWatched = true;
                    socket.Watch(
                        _loop.Loop,
                        sender => ProcessTree.DescendsFrom(sender, worker ?? Processes.CurrentPid),
                        static _ => null,
                        (message, _, descriptors) =>
                        {
                            _messages.Add(message);
                            onDescriptors?.Invoke(descriptors);
                        },
                        (_, reason, sender) => _refused.Add((reason, sender)),
                        static _ => { },
                        static () => { });
                    socket.Unwatch();
                }

                return socket.Drain(idle.SetResult, out _);
            });
            if (isDone)
            {
                return;
            }

            idle.Task.WaitAsync(Patience).GetAwaiter().GetResult();
        }
    }

    /// <summary>Waits for so many messages. Every process is examined, and all of them are the worker's. The examinations.</summary>
    private List<int> Examine(NotifySocket socket, int messages)
    {
        var examined = new HashSet<int>();
        var examinations = new List<int>();
        _loop.On(() => socket.Watch(
            _loop.Loop,
            pid => examined.Contains(pid) ? true : null,
            static _ => null,
            (message, _, _) => _messages.Add(message),
            (_, reason, sender) => _refused.Add((reason, sender)),
            pid =>
            {
                examined.Add(pid);
                examinations.Add(pid);
                socket.Resume();
            },
            examined.Clear));
        _loop.Until(() => _messages.Count == messages && _loop.Disposer.Jobs == 0);
        _loop.On(socket.Unwatch);
        Assert.Empty(_refused);
        return examinations;
    }

    private static Child.Started Start(string script, out DescriptorHandle input)
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using (reader)
        {
            // Elsewhere the daemon has the read end, which is non-blocking. Here the child has it, and must block.
            using var waiting = Files.Open(Files.PinnedPath(reader!), 0, 0, out _)!;
            var child = Child.Start(new()
            {
                Path = "/bin/sh",
                Arguments = ["sh", "-c", script],
                Environment = Child.Environment,
                Descriptors = [waiting, nothing, nothing]
            });
            input = writer!;
            return child;
        }
    }
}
