using Microsoft.Extensions.Time.Testing;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Tests.Listeners;

public class HandleHistoryTests
{
    private const int Kept = HandleHistory.KeptBeginning + HandleHistory.KeptRecent;

    [Fact]
    public void The_history_is_bounded_and_keeps_its_first_entries()
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
        Assert.Equal(
            Enumerable.Range(10_001 - HandleHistory.KeptRecent, HandleHistory.KeptRecent).Select(i => (long)i),
            numbers[HandleHistory.KeptBeginning..]);
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
    public void Handles_with_the_same_entry_share_its_text()
    {
        var facts = new HistoryFacts();
        var actor = new HistoryActor(7, "web/0") { Service = "web", Generation = 3 };
        List<HistoryFact> heard = [];
        for (var i = 0; i < 2; i++)
        {
            var history = new HandleHistory(new FakeTimeProvider(), facts);
            history.Added += heard.Add;
            history.Add(
                HandlePhase.PreBind,
                "setsockopt",
                "SO_REUSEADDR",
                OptionValue.Of(true),
                OptionValue.Of(true),
                actor: actor with { });
            history.Add(HandlePhase.PreListen, "setsockopt", "SO_RCVBUF", OptionValue.Of(1), OptionValue.Of(i), actor: actor);
            history.Subject = "shard 1";
            history.Add(HandlePhase.Handoff, "sendmsg", actor: actor, note: "taken");
            Assert.Equal("shard 1: taken", history.Latest!.Note);
        }

        Assert.Same(heard[0], heard[3]);
        Assert.Same(heard[2], heard[5]);
        Assert.Equal((0L, 1L), (heard[1].Effective!.Value.Number, heard[4].Effective!.Value.Number));
    }

    [Fact]
    public void Entries_for_many_handles_share_one_time_stamp()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        var history = new HandleHistory(time);
        history.Add(HandlePhase.Create, "socket");
        time.Advance(TimeSpan.FromSeconds(1));
        var moment = new HistoryMoment(time);
        time.Advance(TimeSpan.FromSeconds(1));
        history.Add(new HistoryFact(HandlePhase.Handoff, "sendmsg", null, null, null, null, Verdict.Exact, null, null), moment);
        Assert.Equal((2, TimeSpan.FromSeconds(1), moment.Wall), (history.Latest!.Seq, history.Latest.SinceCreation, history.Latest.At));
    }

    [Fact]
    public void A_history_kept_for_a_successor_does_not_change()
    {
        var time = new FakeTimeProvider();
        var history = new HandleHistory(time);
        for (var i = 1; i <= Kept + 10; i++)
        {
            history.Add(HandlePhase.Handoff, "execve");
        }

        var kept = history.Snapshot();
        var entries = history.Entries.ToArray();
        history.Add(HandlePhase.Close, "close");
        Assert.Equal(entries, kept.Beginning.Concat(kept.Recent));
        Assert.Equal((kept.Recent.Count, kept.Recent[^1]), (HandleHistory.KeptRecent, entries[^1]));

        var restored = new HandleHistory(time, kept);
        restored.Add(HandlePhase.Close, "close");
        Assert.Equal(history.Entries, restored.Entries);
    }

    [Fact]
    public void A_subscriber_is_notified_after_each_entry_is_added()
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
