using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.State;

namespace Supervisor.Core.Tests.Continuity;

/// <summary>Thousands of listeners in a state: histories are read when somebody looks, and what is equal is in memory once.</summary>
public class UnreadHistoryTests
{
    private const double MostGrowth = 1.5;

    /// <summary>The text of a history of five entries, and twice as much.</summary>
    private const int MostBytesRead = 5 * 1024;

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 3)]
    [InlineData(5, 0)]
    [InlineData(5, 2)]
    [InlineData(5, 40)]
    [InlineData(HandleHistory.KeptBeginning - 1, 1)]
    [InlineData(HandleHistory.KeptBeginning - 1, 2)]
    [InlineData(HandleHistory.KeptBeginning, 1)]
    [InlineData(HandleHistory.KeptBeginning + 10, 5)]
    [InlineData(HandleHistory.KeptBeginning + HandleHistory.KeptRecent + 7, 5)]
    public void A_history_that_is_not_read_continues_as_one_that_is(int before, int added)
    {
        var first = new HandleHistory(_time);
        Add(first, before);
        var read = new HandleHistory(_time, first.Snapshot());
        var unread = Continued(first);
        var (number, from) = (read.Count, unread.Count);
        Assert.Equal(number, from);
        Add(read, added);
        Add(unread, added);
        Assert.Equal(read.After(number), unread.After(number));
        Assert.Equal(read.Count, unread.Count);
        Assert.Equal(read.Created, unread.Created);

        // Once more, with what was added.
        var again = Continued(unread);
        Assert.Equal(read.Latest, unread.Latest);
        Assert.Equal(read.Entries, unread.Entries);
        Assert.Equal(read.Dropped, unread.Dropped);
        Assert.Equal(read.Entries, again.Entries);
        Assert.Equal(read.Count, again.Count);
        Assert.Equal(read.Entries, Continued(again).Entries);
        Assert.Equal(read.Latest, Continued(again).Latest);
    }

    [Theory]
    [InlineData("execve", false)]
    [InlineData("sendmsg", true)]
    public void Whether_a_process_has_taken_a_listener_is_known_without_reading(string call, bool mayHave)
    {
        var history = new HandleHistory(_time);
        Add(history, 3);
        history.Add(HandlePhase.Handoff, "execve", note: "\"phase\":\"Handoff\"");
        history.Add(HandlePhase.Handoff, call);
        Assert.Equal(mayHave, history.MayHaveTakers("execve"));
        Assert.Equal(mayHave, Continued(history).MayHaveTakers("execve"));
    }

    [Fact]
    public void A_damaged_history_costs_only_itself()
    {
        var history = new HandleHistory(_time);
        Add(history, 3);
        var text = Encoding.UTF8.GetString(ManifestFormat.Write(Manifest(history)));
        var read = Read(text.Replace("\"seq\":2", "\"seq\":x", StringComparison.Ordinal));
        var restored = new HandleHistory(_time, read.Listeners[0].History);
        Assert.Equal(3, restored.Count);
        Assert.Empty(restored.Entries);
        Add(restored, 1);
        Assert.Single(restored.Entries);
    }

    [Fact]
    public void Listeners_share_what_they_have_in_common()
    {
        var manifest = Manifest(new HandleHistory(_time), "a", "b", "c");
        manifest = manifest with
        {
            Listeners =
            [
                .. manifest.Listeners,
                manifest.Listeners[0] with { Spec = Spec("given") with { Bind = new BindOptions { Mark = 7 } } },
            ],
        };
        var read = Read(Encoding.UTF8.GetString(ManifestFormat.Write(manifest)));
        Assert.Equal(manifest.Listeners.Select(one => one.Spec), read.Listeners.Select(one => one.Spec));
        Assert.Same(read.Config.Listeners[1], read.Listeners[1].Spec);
        Assert.Same(read.Listeners[0].Spec.Buffers, read.Listeners[2].Spec.Buffers);
        Assert.Equal(7u, read.Listeners[3].Spec.Bind.Mark);
    }

    [Fact]
    public void Lists_without_lines_are_read_too_and_unknown_fields_pass_on()
    {
        var history = new HandleHistory(_time);
        Add(history, 2);
        var bytes = ManifestFormat.Write(Manifest(history, "a", "b"));
        Assert.Equal(bytes, ManifestFormat.Write(Read(JsonNode.Parse(bytes)!.ToJsonString())));
        Assert.Equal(bytes, ManifestFormat.Write(Read(JsonNode.Parse(bytes)!.ToJsonString(new() { WriteIndented = true }))));

        var newer = Encoding.UTF8.GetString(bytes).Replace("\"is_given\":", "\"colour\":\"red\",\"is_given\":", StringComparison.Ordinal);
        Assert.True(ManifestFormat.TryRead(Encoding.UTF8.GetBytes(newer), out var read, out var unknown, out var error), error);
        var written = JsonNode.Parse(ManifestFormat.Write(read, unknown))!["listeners"]!.AsArray();
        Assert.Equal(["red", "red"], written.Select(one => (string?)one!["colour"]));
        Assert.Equal(2, new HandleHistory(_time, read.Listeners[1].History).Entries.Count());
    }

    [Fact]
    public void A_state_costs_each_of_a_hundred_and_of_a_thousand_listeners_the_same()
    {
        // What is read first is compiled first.
        Costs(10);
        var (few, many) = (Costs(100), Costs(1000));
        Assert.True(many.Read <= few.Read * MostGrowth, $"{few.Read} bytes to read each of 100, {many.Read} each of 1000");
        Assert.True(many.Written <= few.Written * MostGrowth, $"{few.Written} bytes to write each of 100, {many.Written} each of 1000");
        Assert.InRange(many.Read, 0, MostBytesRead);
    }

    /// <summary>The bytes that are allocated for each listener of a state when it is read, and when it is written again.</summary>
    private (double Read, double Written) Costs(int count)
    {
        var history = new HandleHistory(_time);
        Add(history, 5);
        var bytes = ManifestFormat.Write(Manifest(history, [.. Enumerable.Range(0, count).Select(number => $"l{number}")]));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(ManifestFormat.TryRead(bytes, out var manifest, out var unknown, out _));
        var read = GC.GetAllocatedBytesForCurrentThread();
        ManifestFormat.Write(Stream.Null, manifest, unknown);
        return ((read - before) / (double)count, (GC.GetAllocatedBytesForCurrentThread() - read) / (double)count);
    }

    private static DaemonManifest Read(string text)
    {
        Assert.True(ManifestFormat.TryRead(Encoding.UTF8.GetBytes(text), out var read, out _, out var error), error);
        return read;
    }

    private static void Add(HandleHistory history, int count)
    {
        for (var i = 0; i < count; i++)
        {
            history.Add(HandlePhase.Repair, "listen", note: $"a \"{history.Count}\"\n]");
        }
    }

    /// <summary>The history that a successor has.</summary>
    private HandleHistory Continued(HandleHistory history)
    {
        var read = Read(Encoding.UTF8.GetString(ManifestFormat.Write(Manifest(history))));
        Assert.NotNull(read.Listeners[0].History.Unread);
        return new HandleHistory(_time, read.Listeners[0].History);
    }

    private static ListenerSpec Spec(string name) => new()
    {
        Name = name,
        Address = ListenAddress.Unix(ListenerKind.UnixStream, $"/run/{name}\n]", isAbstract: false),
        Buffers = new BufferOptions { Receive = 1 },
    };

    private static DaemonManifest Manifest(HandleHistory history, params string[] names)
    {
        ListenerSpec[] specs = [.. (names.Length == 0 ? ["web"] : names).Select(Spec)];
        return new DaemonManifest
        {
            Format = ManifestFormat.Current,
            LeastReader = ManifestFormat.LeastReader,
            Version = "1",
            Pid = 2,
            BootId = "b",
            Clock = 3,
            StartedAt = DateTimeOffset.UnixEpoch,
            Config = new ConfigEntry { Listeners = [.. specs], Services = [] },
            Listeners =
            [
                .. specs.Select(spec => new ListenerEntry { Spec = spec, Effective = spec.Address, History = history.Snapshot() }),
            ],
            Services = [],
        };
    }
}
