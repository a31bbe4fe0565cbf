using System.Diagnostics;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Handoff;

/// <summary>
/// Descriptors of untrusted processes are received and closed in other processes, and block neither the loop nor other owners.
/// </summary>
public class DisposerTests : KernelTest
{
    /// <summary>Longer than any turn of the loop, and much shorter than a day.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(5);

    [Fact]
    public void The_loop_continues_while_a_lingering_descriptor_closes()
    {
        using var loop = new LoopUnderTest();
        using var lingering = new Lingering();
        Assert.Null(DescriptorPassing.Pair(out var ours, out var theirs));
        using (ours)
        using (theirs)
        {
            lingering.Give(socket => Assert.True(DescriptorPassing.Send(theirs!, "x"u8, [socket], wait: true, out _)));
            var isDone = false;
            var clock = Stopwatch.StartNew();
            loop.On(() => loop.Disposer.Discard("one", ours!, _ => isDone = true));
            loop.On(() => { });
            Assert.True(clock.Elapsed < AtOnce, clock.Elapsed.ToString());
            loop.Until(() => isDone && loop.Disposer.Jobs == 0);
            Assert.False(Libc.IsReadable(ours!));
        }
    }

    [Fact]
    public void The_last_copy_of_a_lingering_socket_closes_on_a_thread()
    {
        using var loop = new LoopUnderTest();
        using var lingering = new Lingering();
        Assert.Null(DescriptorPassing.Pair(out var ours, out var theirs));
        using (ours)
        using (theirs)
        {
            lingering.Give(socket => Assert.True(DescriptorPassing.Send(theirs!, "x"u8, [socket], wait: true, out _)));
            var kept = Receive(loop, ours!, take: 1);
            Assert.Single(kept.Descriptors);
            var clock = Stopwatch.StartNew();
            loop.On(() => loop.Disposer.Close("one", kept.Descriptors));
            Assert.True(kept.Descriptors[0].IsClosed);
            Assert.True(clock.Elapsed < AtOnce, clock.Elapsed.ToString());
            loop.Until(() => loop.Disposer.Jobs == 0);
        }
    }

    [Fact]
    public void A_socket_with_unread_messages_closes_on_another_thread()
    {
        using var loop = new LoopUnderTest();
        using var lingering = new Lingering();
        Assert.Null(DescriptorPassing.Pair(out var ours, out var theirs));
        using (theirs)
        {
            // The message before does not hide it.
            Assert.True(DescriptorPassing.Send(theirs!, "before"u8, [], wait: true, out _));
            Assert.True(DescriptorPassing.Send(theirs!, [], [], wait: true, out _));
            lingering.Give(socket => Assert.True(DescriptorPassing.Send(theirs!, [], [socket], wait: true, out _)));
            var clock = Stopwatch.StartNew();
            loop.On(() => loop.Disposer.CloseSocket("one", ours!));
            Assert.True(clock.Elapsed < AtOnce, clock.Elapsed.ToString());
            Assert.True(ours!.IsClosed);
            loop.Until(() => loop.Disposer.Jobs == 0);
        }
    }

    [Fact]
    public void A_socket_without_queued_descriptors_is_closed_at_once()
    {
        using var loop = new LoopUnderTest();
        Assert.Null(DescriptorPassing.Pair(out var ours, out var theirs));
        Assert.True(DescriptorPassing.Send(theirs!, "x"u8, [], wait: true, out _));
        theirs!.Dispose();
        loop.On(() => loop.Disposer.CloseSocket("one", ours!));
        Assert.True(ours!.IsClosed);
        Assert.Equal((0, 0), (loop.Disposer.Jobs, loop.Disposer.Pid));
    }

    [Fact]
    public void Descriptors_arrive_in_order_and_unclaimed_ones_are_closed()
    {
        using var loop = new LoopUnderTest();
        Assert.Null(DescriptorPassing.Pair(out var ours, out var theirs));
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using (ours)
        using (theirs)
        using (reader)
        {
            Assert.True(DescriptorPassing.Send(theirs!, "x"u8, [reader!, writer!, ours!], wait: true, out _));
            var link = ProcessDescriptors.LinkOf(reader!.Number);
            writer!.Dispose();
            var outcome = Receive(loop, ours!, take: 1);
            Assert.Equal(
                (0, false, link),
                (outcome.Refused, outcome.IsIncomplete, ProcessDescriptors.LinkOf(Assert.Single(outcome.Descriptors).Number)));
            outcome.Descriptors[0].Dispose();

            // The write end was closed, because no handler took it.
            Libc.WaitFor(reader);
            Assert.Equal(0, Files.Read(reader, new byte[1], out _));
        }
    }

    /// <summary>proc(5) represents files without flush; a descriptor of each kind is kept or refused, and none leaks.</summary>
    [Theory]
    [InlineData("/dev/null", true)]
    [InlineData("/proc/self/status", true)]
    [InlineData("/", true)]
    public void Only_a_descriptor_that_closes_without_delay_is_kept(string path, bool kept)
    {
        using var loop = new LoopUnderTest();
        Assert.Null(DescriptorPassing.Pair(out var ours, out var theirs));
        using (ours)
        using (theirs)
        using (var file = Files.Open(path, 0, 0, out _)!)
        {
            Assert.True(DescriptorPassing.Send(theirs!, "x"u8, [file], wait: true, out _));
            var outcome = Receive(loop, ours!, take: 1);
            Assert.Equal((kept ? 1 : 0, kept ? 0 : 1), (outcome.Descriptors.Count, outcome.Refused));
            outcome.Descriptors.ForEach(descriptor => descriptor.Dispose());
        }
    }

    [Fact]
    public void Slow_jobs_delay_only_their_owner()
    {
        using var loop = new LoopUnderTest();
        var pairs = new List<DescriptorHandle>();
        var done = new int[2];
        try
        {
            // A job that keeps its descriptors runs until they are handled: here the gate stays open while it waits for a
            // message.
            for (var i = 0; i <= Disposer.MaxPerOwner; i++)
            {
                Assert.Null(DescriptorPassing.Pair(out var ours, out var theirs));
                pairs.AddRange([ours!, theirs!]);
                Assert.True(DescriptorPassing.Send(theirs!, "x"u8, [theirs!], wait: true, out _));
            }

            loop.On(() =>
            {
                for (var i = 0; i <= Disposer.MaxPerOwner; i++)
                {
                    loop.Disposer.Discard("many", pairs[2 * i], _ => done[0]++);
                }

                Assert.True(loop.Disposer.IsFull("many"));
                Assert.False(loop.Disposer.IsFull("other"));
                Assert.Equal(Disposer.MaxPerOwner + 1, loop.Disposer.Jobs);
            });
            loop.Until(() => loop.Disposer.Jobs == 0);
            Assert.Equal(Disposer.MaxPerOwner + 1, done[0]);
        }
        finally
        {
            pairs.ForEach(one => one.Dispose());
        }
    }

    [Fact]
    public void A_disposer_that_exits_is_replaced()
    {
        using var loop = new LoopUnderTest();
        Assert.Null(DescriptorPassing.Pair(out var ours, out var theirs));
        using (ours)
        using (theirs)
        {
            Assert.True(DescriptorPassing.Send(theirs!, "1"u8, [theirs!], wait: true, out _));
            Assert.True(DescriptorPassing.Send(theirs!, "2"u8, [theirs!], wait: true, out _));
            Assert.Single(Receive(loop, ours!, take: 0).Descriptors, descriptor => descriptor.IsClosed);
            var first = loop.Disposer.Pid;
            using (var process = Processes.OpenPidfd(first, out _)!)
            {
                Processes.Signal(process, 9);
                Libc.WaitFor(process);
                Processes.Reap(process);
            }

            // The disposer's child still waits for the next job; it runs that job and then exits.
            Assert.Single(Receive(loop, ours!, take: 0).Descriptors, descriptor => descriptor.IsClosed);
            Assert.True(DescriptorPassing.Send(theirs!, "3"u8, [theirs!], wait: true, out _));
            Assert.Single(Receive(loop, ours!, take: 0).Descriptors, descriptor => descriptor.IsClosed);
            Assert.NotEqual(first, loop.Disposer.Pid);
        }
    }

    [Fact]
    public void Nothing_is_received_during_quiescence()
    {
        using var loop = new LoopUnderTest();
        Assert.Null(DescriptorPassing.Pair(out var ours, out var theirs));
        using (ours)
        using (theirs)
        {
            Assert.True(DescriptorPassing.Send(theirs!, "x"u8, [theirs!], wait: true, out _));
            var (isQuiet, isDone) = (false, false);
            loop.On(() =>
            {
                loop.Disposer.PauseReceiving(() => isQuiet = true);
                loop.Disposer.Discard("one", ours!, _ => isDone = true);
            });
            Assert.True(loop.On(() => isQuiet && !isDone));
            Assert.True(Libc.IsReadable(ours!));
            loop.On(loop.Disposer.ResumeReceiving);
            loop.Until(() => isDone);
            Assert.False(Libc.IsReadable(ours!));
        }
    }

    private static Disposer.Outcome Receive(LoopUnderTest loop, DescriptorHandle socket, int take)
    {
        var done = new TaskCompletionSource<Disposer.Outcome>();
        loop.On(() => loop.Disposer.Receive("one", socket, all: false, outcome =>
        {
            var taken = take > 0 ? outcome.Descriptors[..Math.Min(take, outcome.Descriptors.Count)] : [.. outcome.Descriptors];
            if (take > 0)
            {
                outcome.Descriptors.RemoveRange(0, taken.Count);
            }

            done.SetResult(outcome with { Descriptors = taken });
        }));
        var received = done.Task.WaitAsync(Patience).GetAwaiter().GetResult();

        // Descriptors that were not taken are closed when the call above returns, in the same turn.
        loop.On(static () => { });
        return received;
    }
}
