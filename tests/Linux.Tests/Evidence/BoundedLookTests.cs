using Microsoft.Extensions.Time.Testing;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Probes;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Evidence;

/// <summary>Probes of other users' processes end, whatever these processes do.</summary>
public class BoundedLookTests : KernelTest
{
    [Fact]
    public void A_scan_that_times_out_reports_what_it_did_not_see()
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        var found = new List<OpenFiles.Found>();
        var look = OpenFiles.FindSockets(new HashSet<ulong> { listener.Inode }, found, until: 0);
        Assert.Empty(found);
        Assert.True(look.Unseen > 0);
        Assert.False(OpenFiles.FindSocketsOf(Processes.CurrentPid, new HashSet<ulong> { listener.Inode }, found, until: 0));
        Assert.Empty(AcceptProbe.Awaited(Processes.CurrentPid, [listener.Inode], until: 0));
    }

    [Fact]
    public void A_scan_finds_each_of_many_descriptors_once()
    {
        const int many = 5000;
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        var copies = new List<DescriptorHandle>();
        try
        {
            for (var i = 0; i < many; i++)
            {
                copies.Add(Descriptors.Duplicate(nothing, out _) ?? throw new InvalidOperationException("no descriptor is left"));
            }

            using var listener = Given.Listener("tcp://127.0.0.1:0");
            using var second = Descriptors.Duplicate(listener.Descriptor!, out _)!;
            var found = new List<OpenFiles.Found>();
            Assert.Equal(0, OpenFiles.FindSockets(new HashSet<ulong> { listener.Inode }, found).Unseen);
            Assert.Equal(new[] { listener.Descriptor!.Number, second.Number }.Order(), found.Select(one => one.Descriptor).Order());
        }
        finally
        {
            copies.ForEach(copy => copy.Dispose());
        }
    }

    [Fact]
    public void The_scan_budget_refills_by_a_tenth()
    {
        var time = new FakeTimeProvider();
        var budget = new EvidenceBudget(time, TimeSpan.FromSeconds(2));
        budget.Serve();
        Assert.True(budget.TryRun(_ => time.Advance(EvidenceBudget.MostAtOnce)));
        Assert.False(budget.TryRun(_ => Assert.Fail("nothing is left")));
        time.Advance(TimeSpan.FromMilliseconds(200));
        Assert.True(budget.TryRun(_ => { }));
    }

    [Fact]
    public void The_number_of_abandoned_scans_is_bounded()
    {
        var budget = new EvidenceBudget(new FakeTimeProvider(), TimeSpan.FromMilliseconds(20));
        using var end = new ManualResetEventSlim();
        for (var i = 0; i < 4; i++)
        {
            Assert.False(budget.TryRun(_ => end.Wait()));
        }

        Assert.False(budget.TryRun(_ => Assert.Fail("four are stuck")));
        end.Set();
        Assert.True(SpinWait.SpinUntil(() => budget.TryRun(_ => { }), Patience));
    }

    [Fact]
    public void A_result_reports_what_was_not_scanned_in_time()
    {
        using var holder = Given.Listener("tcp://127.0.0.1:0");
        var time = new FakeTimeProvider();
        var budget = new EvidenceBudget(time, TimeSpan.Zero);
        var diagnosis = BindDiagnostics.Ask(Given.Spec(holder.Effective!.ToString()), LeftoverHolders.OfAnyService, budget);
        Assert.Equal("EADDRINUSE", diagnosis.Errno);
        Assert.True(diagnosis.IsPartial);

        var whole = BindDiagnostics.Ask(
            Given.Spec(holder.Effective!.ToString()),
            LeftoverHolders.OfAnyService,
            new EvidenceBudget(TimeProvider.System, Patience));
        Assert.False(whole.IsPartial);
        Assert.Equal(BindCause.SameAddress, whole.Cause);
        Assert.Contains(whole.Owners, owner => owner.Pid == Processes.CurrentPid);
    }

    [Fact]
    public async Task Abandoned_scans_block_only_scans_of_their_owner()
    {
        var time = new FakeTimeProvider();
        var threads = new ProbeThreads(time);
        using var end = new ManualResetEventSlim();
        using var begun = new CountdownEvent(4);
        object bad = new(), worse = new();
        int Stick()
        {
            begun.Signal();
            end.Wait();
            return 0;
        }

        Task<int>[] stuck = [threads.RunAsync(bad, Stick), threads.RunAsync(bad, Stick), threads.RunAsync(worse, Stick), threads.RunAsync(
            worse,
            Stick)];
        Assert.True(begun.Wait(Patience));
        var waiting = threads.RunAsync(new object(), () => 1);
        Assert.False(waiting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(1, await waiting.WaitAsync(Patience));
        Assert.Throws<ProbeThreads.StuckException>(() => { _ = threads.RunAsync(bad, () => 2); });
        Assert.Equal(3, await threads.RunAsync(new object(), () => 3).WaitAsync(Patience));
        end.Set();
        await Task.WhenAll(stuck).WaitAsync(Patience);

        // The thread removes the probe from the list after it has reported the result.
        Assert.True(SpinWait.SpinUntil(() => CanRun(threads, bad), Patience));
    }

    [Fact]
    public async Task A_failed_scan_throws_to_its_caller()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => new ProbeThreads(TimeProvider.System).RunAsync<int>(this, () => throw new InvalidOperationException()));
    }

    private static bool CanRun(ProbeThreads threads, object owner)
    {
        try
        {
            return threads.RunAsync(owner, () => true).Wait(Patience);
        }
        catch (ProbeThreads.StuckException)
        {
            return false;
        }
    }
}
