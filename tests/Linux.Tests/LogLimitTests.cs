using Microsoft.Extensions.Time.Testing;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Linux.Tests.Kernel;

namespace Supervisor.Linux.Tests;

/// <summary>A message that a client can cause at will is written at most twice a minute, with a count.</summary>
public class LogLimitTests : KernelTest
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_limit_logs_the_first_message_and_counts_the_rest()
    {
        var (log, events) = Given.Log();
        using var loop = new EventLoop(_time);
        using var limit = new LogLimit(loop, log);
        for (var i = 0; i < 1000; i++)
        {
            Say(limit, "one", "a", i);
            Say(limit, "one", "b", i);
            Say(limit, "two", "a", i);
        }

        Assert.Equal(["one a 0", "one b 0", "two a 0"], events.Select(one => one.RenderMessage(null)));
        Assert.Equal(LogLimit.Interval, limit.NextDeadline);
    }

    [Fact]
    public void The_limit_reports_omitted_messages_at_the_end()
    {
        var (log, events) = Given.Log();
        using var loop = new EventLoop(_time);
        using (var limit = new LogLimit(loop, log))
        {
            for (var i = 0; i < 1000; i++)
            {
                Say(limit, "one", "a", i);
            }

            Say(limit, "two", "a", 0);
        }

        Assert.Equal(["one a 0", "two a 0"], events.Take(2).Select(one => one.RenderMessage(null)));
        Assert.Matches("^one a 999 .*998", Assert.Single(events.Skip(2)).RenderMessage(null));
    }

    [Fact]
    public void A_lasting_flood_logs_one_line_per_minute()
    {
        var (log, events) = Given.Log();
        using var loop = new EventLoop(_time);
        using var limit = new LogLimit(loop, log);
        for (var minute = 0; minute < 5; minute++)
        {
            for (var i = 0; i < 100; i++)
            {
                Say(limit, "one", "a", i);
            }

            _time.Advance(LogLimit.Interval);
            limit.PassDeadline();
        }

        Assert.Equal(6, events.Count);
        _time.Advance(LogLimit.Interval);
        limit.PassDeadline();
        Assert.Null(limit.NextDeadline);
        Say(limit, "one", "a", 7);
        Assert.Equal((7, "one a 7"), (events.Count, events[^1].RenderMessage(null)));
    }

    [Fact]
    public void The_limit_bounds_the_number_of_subjects()
    {
        var (log, events) = Given.Log();
        using var loop = new EventLoop(_time);
        using var limit = new LogLimit(loop, log);
        for (var i = 0; i < 10_000; i++)
        {
            Say(limit, $"subject {i}", i % 2 == 0 ? "a" : "b", i);
        }

        Assert.Equal(LogLimit.MostApart + 2, events.Count);
    }

    private static void Say(LogLimit limit, string subject, string kind, int number) =>
        limit.Write(
            subject, kind, (log, leftOut) => log.Warning("{Subject:l} {Kind:l} {Number}{LeftOut:l}", subject, kind, number, leftOut));
}
