using Microsoft.Extensions.Time.Testing;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests;

/// <summary>The event loop: watched descriptors, posted actions and deadlines.</summary>
public class EventLoopTests : KernelTest
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_loop_runs_all_posts_in_the_order_of_each_thread()
    {
        using var loop = new EventLoop(_time);
        const int threads = 8, each = 2000;
        var seen = new int[threads];
        var total = 0;
        var loopThread = 0;
        var posters = Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            for (var i = 0; i < each; i++)
            {
                var number = i;
                loop.Post(() =>
                {
                    Assert.Equal(loopThread, Environment.CurrentManagedThreadId);
                    Assert.Equal(number, seen[thread]++);
                    if (++total == threads * each)
                    {
                        loop.Stop();
                    }
                });
            }
        })).ToList();
        loopThread = Environment.CurrentManagedThreadId;
        posters.ForEach(thread => thread.Start());
        loop.Run();
        posters.ForEach(thread => thread.Join());
        Assert.Equal(threads * each, total);
    }

    [Fact]
    public void The_loop_keeps_posts_from_before_it_runs()
    {
        using var loop = new EventLoop(_time);
        loop.Post(loop.Stop);
        loop.Run();
    }

    [Fact]
    public void An_end_of_turn_action_runs_once_before_the_turn_ends()
    {
        using var loop = new EventLoop(_time);
        var seen = new List<string>();
        loop.TurnEnded = () => seen.Add("ended");
        loop.AtTurnEnd(() => seen.Add("before the first"));
        loop.Post(() => loop.AtTurnEnd(() =>
        {
            seen.Add("last");
            loop.AtTurnEnd(() => seen.Add("the very last"));
            loop.Stop();
        }));
        loop.Post(() => seen.Add("event"));
        loop.Run();
        Assert.Equal(["before the first", "ended", "event", "last", "the very last", "ended"], seen);
    }

    [Fact]
    public void An_action_for_the_next_turn_runs_before_its_events_and_causes_no_turn()
    {
        using var loop = new EventLoop(_time);
        var seen = new List<string>();
        loop.TurnEnded = () => seen.Add("ended");
        loop.AtNextTurn(() =>
        {
            seen.Add("first");
            loop.AtNextTurn(() => seen.Add("first of another"));
        });
        loop.Post(() =>
        {
            seen.Add("event");
            loop.Stop();
        });
        loop.Run();
        Assert.Equal(["ended", "first", "event", "ended"], seen);
    }

    [Fact]
    public async Task A_call_returns_the_result_or_the_exception()
    {
        using var loop = new EventLoop(_time);
        var answer = loop.Ask(() => 42);
        var failure = loop.Ask<int>(() => throw new InvalidOperationException("no"));
        loop.Post(loop.Stop);
        loop.Run();
        Assert.Equal(42, await answer);
        Assert.Equal("no", (await Assert.ThrowsAsync<InvalidOperationException>(() => failure)).Message);
    }

    [Fact]
    public void A_descriptor_has_events_while_it_is_watched()
    {
        using var loop = new EventLoop(_time);
        using var source = Polling.CreateEvent();
        var heard = 0;
        loop.Watch(source, () =>
        {
            Polling.Lower(source);
            if (++heard == 2)
            {
                loop.Unwatch(source);
                loop.Unwatch(source);
                Polling.Raise(source);
                loop.Post(loop.Stop);
            }
            else
            {
                Polling.Raise(source);
            }
        });
        Polling.Raise(source);
        loop.Run();
        Assert.Equal(2, heard);
    }

    /// <summary>Two descriptors are ready at once; the handler of the first unwatches and closes the other.</summary>
    [Fact]
    public void A_descriptor_unwatched_during_a_dispatch_is_not_called()
    {
        using var loop = new EventLoop(_time);
        var sources = new[] { Polling.CreateEvent(), Polling.CreateEvent() };
        var called = 0;
        for (var i = 0; i < 2; i++)
        {
            var (own, other) = (sources[i], sources[1 - i]);
            loop.Watch(own, () =>
            {
                called++;
                loop.Unwatch(other);
                other.Dispose();
                loop.Unwatch(own);
                own.Dispose();
                loop.Post(loop.Stop);
            });
            Polling.Raise(own);
        }

        loop.Run();
        Assert.Equal(1, called);
    }

    /// <summary>
    /// The kernel reuses a closed descriptor's number at once: an event of the old descriptor must not reach the new one.
    /// </summary>
    [Fact]
    public void An_event_of_a_closed_descriptor_does_not_reach_its_reuse()
    {
        using var loop = new EventLoop(_time);
        var sources = new[] { Polling.CreateEvent(), Polling.CreateEvent() };
        DescriptorHandle? successor = null;
        var called = 0;
        for (var i = 0; i < 2; i++)
        {
            var (own, other) = (sources[i], sources[1 - i]);
            loop.Watch(own, () =>
            {
                if (successor is not null)
                {
                    return;
                }

                var number = other.Number;
                loop.Unwatch(other);
                other.Dispose();
                successor = Polling.CreateEvent();
                Assert.Equal(number, successor.Number);
                loop.Watch(successor, () => called++);
                Polling.Lower(own);
                loop.Post(() => loop.Post(loop.Stop));
            });
            Polling.Raise(own);
        }

        loop.Run();
        Assert.Equal(0, called);
        loop.Unwatch(successor!);
        successor!.Dispose();
        sources[0].Dispose();
        sources[1].Dispose();
    }

    /// <summary>A descriptor that was closed before it was unwatched does not remove its successor from the kernel's set.</summary>
    [Fact]
    public void Unwatching_a_closed_descriptor_keeps_its_reuse_watched()
    {
        using var loop = new EventLoop(_time);
        var first = Polling.CreateEvent();
        loop.Watch(first, () => Assert.Fail("it is closed"));
        var number = first.Number;
        first.Dispose();
        using var successor = Polling.CreateEvent();
        Assert.Equal(number, successor.Number);
        loop.Watch(successor, loop.Stop);
        loop.Unwatch(first);
        Polling.Raise(successor);
        loop.Run();
    }

    [Fact]
    public void A_descriptor_that_cannot_be_watched_is_an_error()
    {
        using var loop = new EventLoop(_time);
        using var file = Files.Open("/etc/hostname", 0, 0, out _) ?? Files.Open("/bin/sh", 0, 0, out _)!;
        Assert.Equal("EPERM", Assert.Throws<SystemCallException>(() => loop.Watch(file, () => { })).Error.Name);
        loop.Unwatch(file);
    }

    [Fact]
    public void A_deadline_does_not_fire_before_its_time()
    {
        using var loop = new EventLoop(_time);
        var early = new Deadline(TimeSpan.FromSeconds(1));
        var late = new Deadline(TimeSpan.FromSeconds(5)) { OnPass = loop.Stop };
        loop.Add(late);
        loop.Add(early);
        loop.Post(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            loop.Post(() => loop.Post(() =>
            {
                Assert.Equal((1, 0), (early.Passed, late.Passed));
                _time.Advance(TimeSpan.FromSeconds(4));
            }));
        });
        loop.Run();
        Assert.Equal((1, 1), (early.Passed, late.Passed));
        Assert.Equal(TimeSpan.FromSeconds(5), loop.Now);
    }

    /// <summary>The loop stands still for ten seconds: events that arrived are handled first, and the clock has stopped too.</summary>
    [Fact]
    public void A_late_loop_reads_events_before_it_fires_deadlines()
    {
        using var loop = new EventLoop(_time);
        var moved = new Deadline(TimeSpan.FromSeconds(1));
        var due = new Deadline(TimeSpan.FromSeconds(2));
        var far = new Deadline(TimeSpan.FromSeconds(5)) { OnPass = loop.Stop };
        loop.Add(moved);
        loop.Add(due);
        loop.Add(far);
        loop.Post(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            loop.Post(() =>
            {
                Assert.Equal((0, 0, 0), (moved.Passed, due.Passed, far.Passed));
                Assert.Equal(TimeSpan.FromSeconds(1), loop.Now);
                loop.Remove(moved);
                _time.Advance(TimeSpan.FromSeconds(1));
                loop.Post(() => loop.Post(() =>
                {
                    Assert.Equal((0, 1, 0), (moved.Passed, due.Passed, far.Passed));
                    _time.Advance(TimeSpan.FromSeconds(3));
                }));
            });
        });
        loop.Run();
        Assert.Equal((0, 1, 1), (moved.Passed, due.Passed, far.Passed));
        Assert.Equal(TimeSpan.FromSeconds(5), loop.Now);
    }

    /// <summary>A deadline is removed, by itself or by another, during the iteration: no other deadline is skipped.</summary>
    [Fact]
    public void Deadlines_that_remove_each_other_do_not_affect_others()
    {
        using var loop = new EventLoop(_time);
        var all = Enumerable.Range(0, 5).Select(_ => new Deadline(TimeSpan.Zero)).ToList();
        var left = all.Count - 1;
        foreach (var deadline in all)
        {
            deadline.OnPass = () =>
            {
                loop.Remove(deadline);
                if (deadline == all[1])
                {
                    loop.Remove(all[3]);
                }

                if (--left == 0)
                {
                    loop.Stop();
                }
            };
            loop.Add(deadline);
        }

        loop.Run();
        Assert.Equal([1, 1, 1, 0, 1], all.Select(deadline => deadline.Passed));
    }

    /// <summary>A scheduled deadline is read when it is scheduled, and after it has passed; one that moved does not wake the loop.</summary>
    [Fact]
    public void Scheduled_deadlines_pass_in_their_order_and_at_their_newest_time()
    {
        using var loop = new EventLoop(_time);
        var order = new List<Deadline>();
        var all = new[] { 3, 1, 2, 4 }.Select(seconds => new Deadline(TimeSpan.FromSeconds(seconds))).ToArray();
        foreach (var deadline in all)
        {
            deadline.OnPass = () =>
            {
                order.Add(deadline);
                if (order.Count == 1)
                {
                    loop.Remove(all[2]);
                    deadline.Move(TimeSpan.FromSeconds(6));
                }
            };
            loop.Schedule(deadline);
        }

        all[3].Move(TimeSpan.FromSeconds(5));
        loop.Schedule(all[3]);
        loop.Post(() => Advance(1));
        loop.Run();
        Assert.Equal([all[1], all[0], all[3], all[1]], order);

        void Advance(int second)
        {
            if (second > 7)
            {
                loop.Stop();
                return;
            }

            // A second later the loop has polled everything, and the deadlines until then pass.
            _time.Advance(TimeSpan.FromSeconds(1));
            loop.Post(() => loop.Post(() => Advance(second + 1)));
        }
    }

    /// <summary>What a turn costs does not depend on the number of scheduled deadlines.</summary>
    [Fact]
    public void A_turn_reads_no_scheduled_deadline_that_is_not_due()
    {
        const int count = 1000;
        using var loop = new EventLoop(_time);
        var all = Enumerable.Range(0, count).Select(i => new Deadline(TimeSpan.FromSeconds(60 + i))).ToArray();
        Array.ForEach(all, loop.Schedule);
        var turns = 0;
        void Turn()
        {
            if (++turns == 10)
            {
                loop.Stop();
            }
            else
            {
                loop.Post(Turn);
            }
        }

        loop.Post(Turn);
        loop.Run();
        Assert.Equal(count, all.Sum(deadline => deadline.Reads));
    }

    [Fact]
    public void The_loop_waits_without_anything_to_watch()
    {
        using var loop = new EventLoop(TimeProvider.System);
        var thread = new Thread(loop.Run);
        thread.Start();
        loop.Post(loop.Stop);
        thread.Join();
    }

    private sealed class Deadline(TimeSpan at) : IDeadline
    {
        private TimeSpan? _at = at;

        public int Passed { get; private set; }

        public Action? OnPass { get; set; }

        public int Reads { get; private set; }

        public TimeSpan? NextDeadline
        {
            get
            {
                Reads++;
                return _at;
            }
        }

        public void Move(TimeSpan to) => _at = to;

        public void PassDeadline()
        {
            _at = null;
            Passed++;
            OnPass?.Invoke();
        }
    }

    /// <summary>Each question takes longer than a slice, so each slice is one turn.</summary>
    [Fact]
    public async Task Other_events_pass_between_the_slices_of_a_long_answer()
    {
        using var loop = new EventLoop(_time);
        var turns = 0;
        loop.TurnEnded = () => turns++;
        var asking = Task.Run(async () =>
        {
            var answers = await loop.AskEach(() => Enumerable.Range(0, 20), number =>
            {
                _time.Advance(SlicedQuestions.SliceTime * 2);
                return number % 2 == 0 ? $"{number} in turn {turns}" : null;
            });
            loop.Post(loop.Stop);
            return answers;
        });
        loop.Run();
        var answers = await asking;
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i * 2}"), answers.Select(answer => answer.Split(' ')[0]));
        Assert.Equal(answers.Count, answers.Select(answer => answer.Split(' ')[^1]).Distinct().Count());
    }

    [Fact]
    public async Task Questions_about_nothing_have_no_answers()
    {
        using var loop = new EventLoop(_time);
        var asking = Task.Run(async () =>
        {
            var answers = await loop.AskEach(() => Array.Empty<string>(), text => text);
            loop.Post(loop.Stop);
            return answers;
        });
        loop.Run();
        Assert.Empty(await asking);
    }
}
