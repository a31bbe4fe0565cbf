using Supervisor.Linux.Continuity;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Continuity;

/// <summary>One packet decides which daemon is in charge, and both daemons agree.</summary>
public sealed class SuccessionLinkTests : KernelTest
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    [Theory]
    [InlineData(1)]
    [InlineData(DescriptorPassing.MaxDescriptors)]
    [InlineData((2 * DescriptorPassing.MaxDescriptors) + 1)]
    public Task Each_descriptor_arrives_under_its_key_and_is_committed(int count) => WithLink(async (daemon, successor) =>
    {
        var sent = Enumerable.Range(0, count).ToDictionary(i => $"listener/{i}", _ => daemon);
        var asking = Task.Run(() =>
        {
            using var incoming = SuccessionLink.Receive(successor, Patience, out var refusal);
            Assert.Null(refusal);
            Assert.Equal(sent.Keys.Order(), incoming!.Remaining.Order());
            Assert.All(incoming.Remaining, key => Assert.True(Descriptors.AreSame(daemon, incoming.Peek(key)!)));
            Assert.True(SuccessionLink.Commit(successor));
        });
        TakeRequest(daemon);
        Assert.Null(SuccessionLink.Send(daemon, sent, Patience));
        Assert.Null(SuccessionLink.AwaitCommit(daemon, Patience));
        await asking;
    });

    [Fact]
    public Task A_late_commit_does_not_count() => WithLink((daemon, successor) =>
    {
        Assert.Null(SuccessionLink.Send(daemon, new Dictionary<string, DescriptorHandle> { ["lock"] = daemon }, Patience));
        Assert.NotNull(SuccessionLink.AwaitCommit(daemon, Moment));
        Assert.False(SuccessionLink.Commit(successor));
        return Task.CompletedTask;
    });

    [Fact]
    public Task A_commit_in_the_last_moment_counts() => WithLink((daemon, successor) =>
    {
        Assert.True(SuccessionLink.Commit(successor));
        Assert.Null(Sockets.ShutReading(daemon));
        Assert.Null(SuccessionLink.AwaitCommit(daemon, TimeSpan.Zero));
        return Task.CompletedTask;
    });

    [Fact]
    public Task A_successor_that_exits_does_not_commit() => WithLink((daemon, successor) =>
    {
        successor.Dispose();
        Assert.NotNull(SuccessionLink.Send(daemon, new Dictionary<string, DescriptorHandle> { ["lock"] = daemon }, Patience));
        Assert.NotNull(SuccessionLink.AwaitCommit(daemon, Patience));
        return Task.CompletedTask;
    });

    [Fact]
    public Task The_daemon_does_not_wait_for_a_successor_that_does_not_read() => WithLink((daemon, _) =>
    {
        var many = Enumerable.Range(0, 100_000).ToDictionary(i => $"service/{new string('x', 60)}/{i}/output", _ => daemon);
        Assert.NotNull(SuccessionLink.Send(daemon, many, Moment));
        return Task.CompletedTask;
    });

    [Theory]
    [InlineData("""{"error":{"code":"denied","message":"it is leaving"}}""", "it is leaving")]
    [InlineData("""{"error":7}""", "protocol")]
    [InlineData("""{"descriptors":["lock"],"more":false}""", "protocol")]
    [InlineData("""{"descriptors":[],"more":1}""", "protocol")]
    [InlineData("nonsense", "protocol")]
    [InlineData(null, "exited")]
    public Task A_packet_that_is_not_a_state_is_rejected(string? packet, string reason) => WithLink((daemon, successor) =>
    {
        if (packet is null)
        {
            // After the request, so that the peer sees the end.
            var asking = Task.Run(() => Ask(successor));
            TakeRequest(daemon);
            daemon.Dispose();
            Assert.Contains(reason, asking.Result, StringComparison.Ordinal);
            return Task.CompletedTask;
        }

        Assert.True(DescriptorPassing.Send(daemon, System.Text.Encoding.UTF8.GetBytes(packet), [], wait: false, out _));
        Assert.Contains(reason, Ask(successor), StringComparison.Ordinal);
        return Task.CompletedTask;
    });

    [Fact]
    public Task A_successor_does_not_wait_for_a_silent_daemon() => WithLink((_, successor) =>
    {
        Assert.Null(SuccessionLink.Receive(successor, Moment, out var refusal));
        Assert.NotNull(refusal);
        return Task.CompletedTask;
    });

    private static string Ask(DescriptorHandle successor)
    {
        Assert.Null(SuccessionLink.Receive(successor, Patience, out var refusal));
        return refusal!;
    }

    private static void TakeRequest(DescriptorHandle daemon)
    {
        Span<byte> request = stackalloc byte[64];
        var length = DescriptorPassing.Receive(daemon, request, [], 0, wait: true, out _, out _, out _);
        Assert.Equal("""{"method":"succeed"}""", System.Text.Encoding.UTF8.GetString(request[..length]));
    }

    private static async Task WithLink(Func<DescriptorHandle, DescriptorHandle, Task> test)
    {
        Assert.Null(DescriptorPassing.Pair(out var daemon, out var successor));
        using (daemon)
        using (successor)
        {
            await test(daemon!, successor!);
        }
    }
}
