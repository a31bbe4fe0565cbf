using Microsoft.Extensions.Time.Testing;
using Supervisor.Core.Listeners;

namespace Supervisor.Core.Tests.Listeners;

public class HandleHistoryTests
{
    private const int Kept = HandleHistory.KeptBeginning + HandleHistory.KeptRecent;

    [Fact]
    public void It_is_bounded_and_its_beginning_is_never_dropped()
    {
        var history = new HandleHistory(new FakeTimeProvider());
        for (var i = 1; i <= 10_000; i++)
        {
            history.Add(HandlePhase.Handoff, "execve");
            Assert.Equal(i, history.Count);
            Assert.Equal(Math.Min(i, Kept), history.Entries.Count());
            Assert.Equal(Math.Max(0, i - Kept), history.Dropped);
        }

        var numbers = history.Entries.Select(entry => entry.Seq).ToArray();
        Assert.Equal(Enumerable.Range(1, HandleHistory.KeptBeginning).Select(i => (long)i), numbers[..HandleHistory.KeptBeginning]);
        Assert.Equal(Enumerable.Range(10_001 - HandleHistory.KeptRecent, HandleHistory.KeptRecent).Select(i => (long)i), numbers[HandleHistory.KeptBeginning..]);
    }

    [Fact]
    public void Entries_are_stamped_with_both_clocks()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        var history = new HandleHistory(time);
        time.Advance(TimeSpan.FromSeconds(1));
        history.Add(HandlePhase.Create, "socket");
        var first = history.Latest!;
        time.Advance(TimeSpan.FromMilliseconds(250));
        history.Add(HandlePhase.Bind, "bind", errno: "EADDRINUSE", verdict: Verdict.Refused);
        var second = history.Latest!;
        Assert.Equal((1, TimeSpan.Zero), (first.Seq, first.SinceCreation));
        Assert.Equal((2, TimeSpan.FromMilliseconds(250)), (second.Seq, second.SinceCreation));
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 6, 250, TimeSpan.Zero), second.At);
        Assert.Equal(("bind", "EADDRINUSE", Verdict.Refused), (second.Call, second.Errno, second.Verdict));
    }

    [Fact]
    public void Whoever_listens_hears_of_each_entry_once_it_is_there()
    {
        var history = new HandleHistory(new FakeTimeProvider());
        List<HistoryEntry> heard = [];
        history.Added += fact =>
        {
            Assert.Equal((fact.Phase, fact.Call), (history.Latest!.Phase, history.Latest.Call));
            heard.Add(history.Latest);
        };
        history.Add(HandlePhase.Create, "socket");
        history.Add(HandlePhase.Bind, "bind");
        Assert.Equal(history.Entries, heard);
    }
}
