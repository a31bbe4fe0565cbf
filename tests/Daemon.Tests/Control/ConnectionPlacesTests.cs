using Microsoft.AspNetCore.Connections;
using Supervisor.Daemon.Control;

namespace Supervisor.Daemon.Tests.Control;

/// <summary>The users of the control socket close only the connections of each other, and never those of root.</summary>
public sealed class ConnectionPlacesTests
{
    private const int Most = 192;

    private readonly ConnectionPlaces _places = new(Most, endsRequests: false);

    [Fact]
    public void A_user_closes_only_its_own_connections_at_its_limit()
    {
        var (roots, others) = (Enter(5, user: null), Enter(5, user: 2));
        var own = Enter(1000, user: 1);
        Assert.DoesNotContain(roots.Concat(others), connection => connection.IsAborted);
        Assert.Equal(ConnectionPlaces.MostOfUser, own.Count(connection => !connection.IsAborted));
        Assert.All(own[^ConnectionPlaces.MostOfUser..], connection => Assert.False(connection.IsAborted));
    }

    [Fact]
    public void All_users_together_leave_places_for_root()
    {
        var roots = Enter(60, user: null);
        for (var user = 1u; user < 100; user++)
        {
            Enter(10, user);
        }

        Assert.DoesNotContain(roots.Concat(Enter(4, user: null)), connection => connection.IsAborted);
    }

    [Fact]
    public void A_user_whose_requests_are_all_in_progress_gets_no_further_connection()
    {
        var busy = Enter(ConnectionPlaces.MostOfUser, user: 1, isBusy: true);
        Assert.True(Assert.Single(Enter(1, user: 1)).IsAborted);
        Assert.DoesNotContain(busy, connection => connection.IsAborted);
        Assert.Equal(ConnectionPlaces.MostOfUser, _places.Busy);
    }

    [Fact]
    public void Root_closes_the_idle_connection_of_a_user_first()
    {
        var (roots, users) = (Enter(Most - 1, user: null), Enter(1, user: 1));
        Enter(1, user: null);
        Assert.True(Assert.Single(users).IsAborted);
        Assert.DoesNotContain(roots, connection => connection.IsAborted);
    }

    private Connection[] Enter(int count, uint? user, bool isBusy = false) =>
    [
        .. Enumerable.Range(0, count).Select(_ =>
        {
            var connection = new Connection();
            var place = _places.Enter(connection, user);
            if (isBusy)
            {
                place.Begin();
            }

            return connection;
        }),
    ];

    private sealed class Connection : DefaultConnectionContext
    {
        public bool IsAborted { get; private set; }

        public override void Abort(ConnectionAbortedException abortReason) => IsAborted = true;
    }
}
