using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using Supervisor.Client.Kestrel;

namespace Supervisor.Client.Tests;

/// <summary>The step between the last accept() and the end of the connections.</summary>
public class DrainTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_connection_that_was_accepted_last_is_waited_for()
    {
        var drain = new Drain(_time);
        var first = Open(drain);
        drain.Begin();
        await CloseAsync(first);

        // An accept() that was in progress returns after no connection was open.
        var last = Open(drain);
        var lingering = drain.LingerAsync(CancellationToken.None);
        Assert.False(lingering.IsCompleted);
        await CloseAsync(last);
        await lingering.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Without_a_connection_nothing_is_waited_for() =>
        Assert.True(new Drain(_time).LingerAsync(CancellationToken.None).IsCompletedSuccessfully);

    [Fact]
    public async Task An_idle_connection_is_waited_for_at_most_a_second()
    {
        var drain = new Drain(_time);
        _ = Open(drain);
        drain.Begin();
        var lingering = drain.LingerAsync(CancellationToken.None);
        _time.Advance(Drain.Linger - TimeSpan.FromMilliseconds(1));
        Assert.False(lingering.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await lingering.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static (TaskCompletionSource End, Task Served) Open(Drain drain)
    {
        drain.Accepted();
        var end = new TaskCompletionSource();
        return (end, drain.Track(_ => end.Task)(new DefaultConnectionContext()));
    }

    private static Task CloseAsync((TaskCompletionSource End, Task Served) connection)
    {
        connection.End.SetResult();
        return connection.Served;
    }
}
