using System.Text.Json;
using Xunit;

namespace Supervisor.Control.Tests;

/// <summary>The text of a reload, of any size.</summary>
public sealed class ReloadTests
{
    private static readonly ReloadActionDocument Backlog = new(
        "listener", "web", "in-place", ["listen.backlog"], "listen() on the same socket", Loses: null);

    private static readonly ReloadActionDocument Moved = new(
        "listener", "admin", "new-socket", ["address"], "it moves", "connections in the queue");

    [Fact]
    public void A_short_reload_has_a_line_for_each_change_and_names_the_rest() => Assert.Equal(
        """
        listener web: in-place (listen.backlog): listen() on the same socket
        listener admin: new-socket (address): it moves
          may lose: connections in the queue
        unchanged: service api
        applied

        """,
        Text([Backlog, Moved, Unchanged("service", "api")]));

    [Fact]
    public void A_reload_that_changes_nothing_counts_thousands_of_listeners_and_services() => Assert.Equal(
        "unchanged: 2000 listeners, 1000 services\nnothing has changed\n",
        Text([.. Many("listener", 2000, Unchanged), .. Many("service", 1000, Unchanged)]));

    [Fact]
    public void Many_changes_are_counted_by_kind_and_those_that_lose_connections_are_named()
    {
        var text = Text([.. Many("listener", 60, (_, name) => Backlog with { Name = name }), Moved]);
        Assert.Equal(
            """
            60 listeners: in-place (listener0, listener1, listener2, listener3, listener4 and 55 more)
            1 listener: new-socket (admin)
            may lose connections: 1 of them (admin)
            --all shows each of them with its settings and reason
            applied

            """,
            text);
    }

    [Fact]
    public void The_text_stays_under_4_KiB_unless_all_is_given()
    {
        var name = new string('n', 60);
        ReloadActionDocument[] actions =
        [
            .. Many("listener", 49, (_, number) => Moved with { Name = name + number }),
            .. Many("service", 1000, Unchanged),
        ];
        Assert.InRange(Text(actions).Length, 1, 4096);
        var all = Text(actions, "--all").Split('\n');
        Assert.Equal((49 * 2) + 1000 + 1, all.Length - 1);
        Assert.Contains("service service999: unchanged", all);
    }

    private static ReloadActionDocument Unchanged(string subject, string name) => new(subject, name, "unchanged", [], null, null);

    private static IEnumerable<ReloadActionDocument> Many(
        string subject, int count, Func<string, string, ReloadActionDocument> action) =>
        Enumerable.Range(0, count).Select(i => action(subject, $"{subject}{i}"));

    private static string Text(ReloadActionDocument[] actions, params string[] options)
    {
        var document = new ReloadDocument(DryRun: false, Applied: true, "/etc/listend.toml", actions, [], [], "");
        using var daemon = new FakeDaemon(
            _ => FakeDaemon.Json(JsonSerializer.Serialize(document, ControlJson.Default.ReloadDocument)));
        var result = Listenctl.Run(daemon, ["reload", .. options]);
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        return result.Output;
    }
}
