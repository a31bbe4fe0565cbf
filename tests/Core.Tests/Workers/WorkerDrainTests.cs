using System.Net;
using CsCheck;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Workers;

/// <summary>What looks at a worker that leaves make known of it.</summary>
public class WorkerDrainTests
{
    private static readonly WorkerDrain Told = new WorkerDrain(At(10)).Told(At(10));

    [Fact]
    public void Connections_are_unknown_before_the_first_scan()
    {
        Assert.Null(Told.Count);
        Assert.Null(Told.OldestFor(At(11)));
        Assert.Null(Told.SilentFor);
        Assert.Empty(Told.ByListener);
    }

    [Fact]
    public void A_drain_counts_connections_for_each_listener()
    {
        var drain = Told.See(Look(Open(1, "web"), Open(2, "admin"), Open(3, "web")), At(10));
        Assert.Equal(3, drain.Count);
        Assert.Equal<(string, int)>([("admin", 1), ("web", 2)], drain.ByListener);
    }

    [Fact]
    public void The_oldest_age_comes_from_the_first_scan_or_the_kernel()
    {
        var drain = Told.See(Look(Open(1), Open(2, openFor: 30)), At(10));
        Assert.Equal(At(30), drain.OldestFor(At(10)));

        // Data came: the kernel knows less now, and what was known stays known.
        drain = drain.See(Look(Open(1), Open(2, openFor: 0.1)), At(12));
        Assert.Equal(At(32), drain.OldestFor(At(12)));

        drain = drain.See(Look(Open(1)), At(13));
        Assert.Equal(At(3), drain.OldestFor(At(13)));
        Assert.Equal(At(4), drain.OldestFor(At(14)));
        Assert.Null(drain.See(Look(), At(14)).OldestFor(At(14)));
    }

    [Fact]
    public void Idle_time_is_known_only_if_each_connection_reports_it()
    {
        Assert.Equal(At(2), Told.See(Look(Open(1, silentFor: 7), Open(2, silentFor: 2)), At(11)).SilentFor);
        Assert.Null(Told.See(Look(Open(1, silentFor: 7), Open(2)), At(11)).SilentFor);
    }

    [Fact]
    public void A_drain_reports_nothing_without_permission_to_scan()
    {
        var drain = Told.See(Look(Open(1)), At(11.5)).See(new DrainSample(null), At(12)).See(Look(Open(1), Open(2)), At(14));
        Assert.Equal((2, null), (drain.Count, drain.KeepsAccepting));
        Assert.Null(drain.See(new DrainSample(null), At(15)).Count);
    }

    [Fact]
    public void A_connection_that_appears_after_the_grace_is_new()
    {
        var peer = new ConnectionPeer(ConnectionPeer.Number(IPAddress.Parse("192.0.2.7")), 4711);
        var drain = Told.See(Look(Open(1)), At(10.2)).See(Look(Open(1)), At(11.2));
        Assert.Null(drain.KeepsAccepting);
        drain = drain.See(Look(Open(1), Open(2, "admin") with { Peer = peer }), At(13.2));
        Assert.Equal(new KeptAccepting("admin", AcceptingEvidence.Accepted, peer, At(1.2)), drain.KeepsAccepting);
        Assert.Equal(drain.KeepsAccepting, drain.See(Look(Open(3)), At(17)).KeepsAccepting);
        Assert.Equal(
            "keeps accepting on \"admin\": it accepted a connection (from 192.0.2.7:4711) more than 1.2s after its stop signal",
            DrainWords.KeepsAccepting(drain.KeepsAccepting!));
    }

    [Fact]
    public void A_connection_accepted_within_the_grace_is_ignored()
    {
        // The last look before the one that finds it was too early, though this one is late.
        var drain = Told.See(Look(), At(10.9)).See(Look(Open(1)), At(60));
        Assert.Null(drain.KeepsAccepting);
        Assert.Null(Told.See(Look(Open(1)), At(60)).KeepsAccepting);
    }

    [Fact]
    public void A_handshake_that_ends_within_the_grace_is_ignored() =>
        Assert.Null(Told.See(Look(), At(11.5)).See(Look(Open(1, openFor: 2.5)), At(13)).KeepsAccepting);

    [Fact]
    public void A_connection_that_one_scan_missed_is_not_new()
    {
        // The list of a process's children may miss one (proc(5)).
        var drain = Told.See(Look(Open(1)), At(10.2)).See(Look(), At(11.2)).See(Look(Open(1)), At(13.2));
        Assert.Null(drain.KeepsAccepting);
    }

    [Fact]
    public void A_partial_scan_counts_connections_without_a_verdict()
    {
        var drain = Told.See(Look(Open(1), Open(2)), At(10.2)).See(Look(Open(2)) with { IsPartial = true }, At(12));
        Assert.Equal((1, At(10.2)), (drain.Count, drain.LookedAt));
        Assert.Null(drain.See(Look(Open(2), Open(3)), At(13)).KeepsAccepting);
    }

    [Fact]
    public void A_worker_without_a_drain_signal_may_accept()
    {
        var drain = new WorkerDrain(At(10)).See(Awaits(["web"]), At(12)).See(Awaits(["web"], Open(1)), At(14));
        Assert.Null(drain.KeepsAccepting);
        Assert.Equal(At(14), drain.Told(At(14)).Told(At(20)).ToldAt);
    }

    [Fact]
    public void A_worker_that_waits_in_two_late_scans_keeps_accepting()
    {
        var drain = Told.See(Awaits(["web"]), At(10.2)).See(Awaits(["web"]), At(11.2));
        Assert.Null(drain.KeepsAccepting);
        Assert.Null(drain.See(Awaits([]), At(13.2)).See(Awaits(["web"]), At(17.2)).KeepsAccepting);
        Assert.Null(drain.See(Awaits(["admin"]), At(13.2)).KeepsAccepting);
        drain = drain.See(Awaits(["web"]), At(13.2));
        Assert.Equal(new KeptAccepting("web", AcceptingEvidence.Waiting, null, At(3.2)), drain.KeepsAccepting);
        Assert.Equal(
            "keeps accepting on \"web\": it still waits for connections 3.2s after its stop signal",
            DrainWords.KeepsAccepting(drain.KeepsAccepting!));
    }

    [Fact]
    public void One_wait_in_the_last_scan_counts_as_accepting()
    {
        Assert.NotNull(Told.See(Awaits(["web"]) with { IsLast = true }, At(12)).KeepsAccepting);
        Assert.Null(Told.See(Awaits(["web"]) with { IsLast = true }, At(10.5)).KeepsAccepting);
    }

    [Fact]
    public void One_log_line_reports_remaining_and_cut_connections()
    {
        Assert.Equal("has no connections left", DrainWords.Remaining(Told.See(Look(), At(11)), At(11)));
        Assert.Equal("still has 1 connection (web)", DrainWords.Remaining(Told.See(Look(Open(1)), At(11)), At(11)));
        Assert.Equal(
            "still has 3 connections (1 of admin, 2 of web; the oldest open for 42s at least; no data for 4.5s)",
            DrainWords.Remaining(
                Told.See(Look(Open(1, openFor: 42.3, silentFor: 42.3), Open(2, "admin", 5, 4.55), Open(3, silentFor: 9)), At(11)),
                At(11)));

        Assert.Null(DrainWords.Cut(Told, At(40), Signals.Kill));
        Assert.Null(DrainWords.Cut(Told.See(Look(), At(40)), At(40), Signals.Kill));
        Assert.Equal(
            "had 1 connection, cut by SIGKILL (web; the oldest open for 29s at least)",
            DrainWords.Cut(Told.See(Look(Open(1)), At(11)), At(40), Signals.Kill));
        var peer = ConnectionPeer.Number(IPAddress.Parse("2001:db8::1"));
        var many = Enumerable.Range(1, 8).Select(i => Open((ulong)i, openFor: i) with { Peer = new ConnectionPeer(peer, (ushort)i) });
        Assert.Equal(
            "had 8 connections, cut by SIGKILL (web; the oldest open for 8s at least; from [2001:db8::1]:1, [2001:db8::1]:2, "
            + "[2001:db8::1]:3, [2001:db8::1]:4, [2001:db8::1]:5 and 3 more)",
            DrainWords.Cut(Told.See(Look([.. many]), At(40)), At(40), Signals.Kill));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1:80")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1:80")]
    [InlineData("::1", "[::1]:80")]
    public void A_peer_is_formatted_as_an_endpoint(string address, string written) =>
        Assert.Equal(written, new ConnectionPeer(ConnectionPeer.Number(IPAddress.Parse(address)), 80).ToString());

    [Fact]
    public void A_worker_that_stops_within_the_grace_is_never_reported()
    {
        // Each connection: when it was accepted, and when it ends; looks at any times, of any kind, by a kernel that knows any
        // part of an age.
        var connections = Gen.Select(Gen.Double[0, 10.99], Gen.Double[0, 60], Gen.Double[0, 1]).Array[0, 12];
        var looks = Gen.Select(Gen.Double[10, 60], Gen.Int[0, 9]).Array[1, 12];
        Gen.Select(connections, looks).Sample(
            (open, moments) =>
            {
                var drain = Told;
                foreach (var (at, kind) in moments.OrderBy(moment => moment.Item1))
                {
                    var seen = open.Select(
                        (one, i) => (one.Item1, one.Item2, Connection: Open((ulong)i + 1, openFor: (at - one.Item1) * one.Item3)))
                        .Where(one => one.Item1 <= at && at < one.Item1 + one.Item2).Select(one => one.Connection).ToArray();
                    drain = drain.See(kind switch
                    {
                        0 => new DrainSample(null, []),
                        <= 3 => new DrainSample(
                            [.. seen.Where(connection => drain.Connections?.Any(known => known.Inode == connection.Inode) == true)])
                        {
                            IsPartial = true,
                        },
                        _ => new DrainSample(seen, at < 11 ? ["web"] : []),
                    }, At(at));
                    Assert.True(drain.KeepsAccepting is null, drain.KeepsAccepting?.ToString());
                    Assert.True(drain.OldestFor(At(at)) is not { } oldest
                        || oldest <= At(at - open.Min(one => one.Item1)) + TimeSpan.FromMilliseconds(1));
                }
            },
            iter: Iterations.Of(2000));
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static AcceptedConnection Open(
        ulong inode,
        string listener = "web",
        double? openFor = null,
        double? silentFor = null) => new(inode, listener, null)
        {
            OpenFor = openFor is { } age ? At(age) : null,
            SilentFor = silentFor is { } silence ? At(silence) : null,
        };

    private static DrainSample Look(params AcceptedConnection[] connections) => new(connections);

    private static DrainSample Awaits(string[] awaited, params AcceptedConnection[] connections) => new(connections, awaited);
}
