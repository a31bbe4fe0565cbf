using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Linux.Continuity;
using Supervisor.Native;

namespace Supervisor.Daemon.Tests.Continuity;

/// <summary>The successor's side of a take-over, against a daemon that is played here and exits at each step.</summary>
public sealed class TakenOverStateTests : IDisposable
{
    private static readonly TimeSpan StepTimeout = TimeSpan.FromMinutes(1);

    private readonly TemporaryRuntime _runtime = new();
    private readonly FakeLog _log = new();
    private readonly DescriptorHandle _daemon;
    private readonly DescriptorHandle _successor;

    public TakenOverStateTests()
    {
        Assert.Null(DescriptorPassing.Pair(out var daemon, out var successor));
        (_daemon, _successor) = (daemon!, successor!);
    }

    [Fact]
    public async Task The_successor_has_the_state_after_its_commit()
    {
        var taking = TakeAsync();
        ReadRequest();
        using var pidfd = Exited();
        Send(ManifestFormat.Write(_runtime.Manifest), pidfd, withLock: true);
        Assert.Null(SuccessionLink.AwaitCommit(_daemon, StepTimeout));
        var (state, refusal) = await taking;
        Assert.Null(refusal);
        using (state)
        {
            Assert.Equal(SuccessionWay.TookOver, state!.Way);
            Assert.True(state.Descriptors.Has(DescriptorKey.Lock));
        }
    }

    [Fact]
    public async Task A_daemon_that_exits_before_any_packet_hands_over_nothing()
    {
        var taking = TakeAsync();
        ReadRequest();
        _daemon.Dispose();
        await AssertRefusedAsync(taking);
    }

    [Fact]
    public async Task A_state_that_is_not_complete_is_not_committed()
    {
        var taking = TakeAsync();
        ReadRequest();
        using var pidfd = Exited();
        Send(ManifestFormat.Write(_runtime.Manifest), pidfd, withLock: false);
        await AssertRefusedAsync(taking);
        AssertNotCommitted();
    }

    [Fact]
    public async Task A_state_of_a_newer_format_is_not_committed()
    {
        var taking = TakeAsync();
        ReadRequest();
        using var pidfd = Exited();
        Send(ManifestFormat.Write(_runtime.Manifest with { Format = 1000, LeastReader = 1000 }), pidfd, withLock: true);
        await AssertRefusedAsync(taking);
        AssertNotCommitted();
    }

    [Fact]
    public async Task A_daemon_that_exits_before_the_commit_hands_over_nothing()
    {
        using (var pidfd = Exited())
        {
            // It has sent everything and is gone before the successor asks.
            Send(ManifestFormat.Write(_runtime.Manifest), pidfd, withLock: true);
        }

        _daemon.Dispose();
        await AssertRefusedAsync(TakeAsync());
    }

    public void Dispose()
    {
        _daemon.Dispose();
        _successor.Dispose();
        _runtime.Dispose();
    }

    private static DescriptorHandle Exited()
    {
        // Stands for the pidfd of a process that has exited: it is readable.
        Assert.Null(Files.Pipe(out var end, out var written));
        written!.Dispose();
        return end!;
    }

    private Task<(PreviousDaemonState? State, string? Refusal)> TakeAsync() =>
        Task.Run(() => (TakenOverState.Take(_successor, _log.Log, out var refusal), refusal)).WaitAsync(Patience.Deadline);

    /// <summary>Takes the request "succeed", as the broker does.</summary>
    private void ReadRequest()
    {
        Assert.True(Polling.Await(_daemon, StepTimeout));
        Assert.True(DescriptorPassing.Receive(_daemon, new byte[512], [], maxDescriptors: 0, wait: false, out _, out _, out _) > 0);
    }

    private void Send(byte[] state, DescriptorHandle pidfd, bool withLock)
    {
        using var memory = Succession.SealedMemory("state", stream => stream.Write(state), out var error)
            ?? throw new InvalidOperationException(error);
        var descriptors = new Dictionary<string, DescriptorHandle>(StringComparer.Ordinal)
        {
            [DescriptorKey.State] = memory,
            [DescriptorKey.Daemon] = pidfd,
        };
        if (withLock)
        {
            descriptors.Add(DescriptorKey.Lock, memory);
        }

        Assert.Null(SuccessionLink.Send(_daemon, descriptors, StepTimeout));
    }

    private static async Task AssertRefusedAsync(Task<(PreviousDaemonState? State, string? Refusal)> taking)
    {
        var (state, refusal) = await taking;
        Assert.Null(state);
        Assert.NotNull(refusal);
    }

    private void AssertNotCommitted()
    {
        _successor.Dispose();
        Assert.NotNull(SuccessionLink.AwaitCommit(_daemon, StepTimeout));
    }
}
