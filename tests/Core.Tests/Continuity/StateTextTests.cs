using System.Text;
using Microsoft.Extensions.Time.Testing;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.State;

namespace Supervisor.Core.Tests.Continuity;

/// <summary>What of a state is the same for thousands of listeners, or the same as in the state before, is compared and copied as text.</summary>
public class StateTextTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    [Fact]
    public void Listeners_of_all_kinds_are_read_as_they_were_written()
    {
        var manifest = Manifest();
        Assert.True(ManifestFormat.TryRead(ManifestFormat.Write(manifest), out var read, out _, out var error), error);
        Assert.Equal(
            manifest.Listeners.Select(one => one with { History = None, Asked = [], Aside = null }),
            read.Listeners.Select(one => one with { History = None, Asked = [], Aside = null }));
        Assert.Equal(manifest.Listeners.Select(one => one.Aside?.Single()), read.Listeners.Select(one => one.Aside?.Single()));
        Assert.Equal(manifest.Listeners.Select(one => one.Asked.Length), read.Listeners.Select(one => one.Asked.Length));
        Assert.Equal(ManifestFormat.Write(manifest), ManifestFormat.Write(read));
    }

    [Fact]
    public void A_state_of_a_version_without_aside_is_read()
    {
        var manifest = Manifest();
        manifest = manifest with { Listeners = [.. manifest.Listeners.Select(one => one with { Aside = null })] };
        var text = Encoding.UTF8.GetString(ManifestFormat.Write(manifest));
        var before = text.Replace(",\"aside\":null", "", StringComparison.Ordinal);
        Assert.NotEqual(text, before);
        Assert.True(ManifestFormat.TryRead(Encoding.UTF8.GetBytes(before), out var read, out _, out var error), error);
        Assert.Equal(text, Encoding.UTF8.GetString(ManifestFormat.Write(read)));
    }

    [Theory]
    [InlineData("\"inode\":12", "\"inode\":-1")]
    [InlineData("\"inode\":12", "\"inode\":1.5")]
    [InlineData("\"inode\":12", "\"inode\":\"x\"")]
    [InlineData("\"path_inode\":112", "\"path_inode\":112,\"path_inode2\":")]
    [InlineData("\"effective\":\"tcp://127.0.0.1:1012\"", "\"effective\":\"tcp:/\"")]
    public void A_damaged_number_is_an_error_among_many_listeners_too(string there, string instead)
    {
        var text = Encoding.UTF8.GetString(ManifestFormat.Write(Manifest()));
        Assert.Contains(there, text, StringComparison.Ordinal);
        Assert.False(ManifestFormat.TryRead(
            Encoding.UTF8.GetBytes(text.Replace(there, instead, StringComparison.Ordinal)), out _, out _, out var error));
        Assert.NotNull(error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(false, 0)]
    [InlineData(false, 29)]
    [InlineData(false, 0, 1, 2, 15, 29)]
    [InlineData(false, 3, 5, 7)]
    [InlineData(true)]
    [InlineData(true, 0)]
    [InlineData(true, 29)]
    [InlineData(true, 3, 5, 7)]
    public void What_has_not_changed_is_copied_from_another_state(bool isOverCopy, params int[] changed)
    {
        var before = Manifest();
        var lists = new WrittenLists();
        using var draft = new MemoryStream();
        foreach (var _ in ManifestWriter.WriteInParts(draft, before, before.Listeners, before.Services, written: lists))
        {
        }

        Assert.Equal(before.Listeners.Length, lists.Listeners.Count);
        var now = before with
        {
            Upgrades = 7,
            Listeners = [.. before.Listeners.Select((one, i) => changed.Contains(i) ? one with { Drifts = 77 } : one)],
        };
        using var copied = new MemoryStream();
        var text = draft.ToArray();
        if (isOverCopy)
        {
            copied.Write(text);
            copied.Position = 0;
        }

        foreach (var _ in ManifestWriter.WriteInParts(
            copied,
            now,
            [lists.ConfigListeners.Part<ListenerSpec>(text, 0, lists.ConfigListeners.Count, isOverCopy)],
            [],
            Parts(now, lists, text, isOverCopy, changed),
            now.Services,
            unknown: null))
        {
        }

        copied.SetLength(copied.Position);
        Assert.Equal(Encoding.UTF8.GetString(ManifestFormat.Write(now)), Encoding.UTF8.GetString(copied.ToArray()));
    }

    [Fact]
    public void A_history_does_not_need_the_text_of_the_state_when_it_has_its_own()
    {
        var bytes = ManifestFormat.Write(Manifest());
        Assert.True(ManifestFormat.TryRead(bytes, out var read, out _, out _));
        var expected = read.Listeners.Select(one => new HandleHistory(_time, one.History).Entries.ToArray()).ToArray();
        Assert.True(ManifestFormat.TryRead(bytes, out read, out _, out _));
        foreach (var listener in read.Listeners)
        {
            listener.History.Unread!.Own();
        }

        bytes.AsSpan().Clear();
        Assert.Equal(expected, read.Listeners.Select(one => new HandleHistory(_time, one.History).Entries.ToArray()));
    }

    private static HistorySnapshot None { get; } = new(0, 0, [], []);

    private static IEnumerable<ListPart<ListenerEntry>> Parts(
        DaemonManifest now, WrittenLists lists, byte[] text, bool isOverCopy, int[] changed)
    {
        for (var i = 0; i < now.Listeners.Length;)
        {
            if (changed.Contains(i))
            {
                yield return new ListPart<ListenerEntry>(now.Listeners[i++]);
                continue;
            }

            var first = i;
            while (i < now.Listeners.Length && !changed.Contains(i))
            {
                i++;
            }

            yield return lists.Listeners.Part<ListenerEntry>(text, first, i - first, isOverCopy);
        }
    }

    /// <summary>Thirty listeners of six kinds in turn.</summary>
    private DaemonManifest Manifest()
    {
        var history = new HandleHistory(_time);
        history.Add(HandlePhase.Create, "socket", note: "a \"quote\", and ],\"recent\":[]}");
        var entries = Enumerable.Range(0, 30).Select(i => Entry(i, history.Snapshot())).ToArray();
        return new DaemonManifest
        {
            Format = ManifestFormat.Current,
            LeastReader = ManifestFormat.LeastReader,
            Version = "1",
            Pid = 2,
            BootId = "b",
            Clock = 3,
            StartedAt = DateTimeOffset.UnixEpoch,
            Config = new ConfigEntry { Listeners = [.. entries.Select(entry => entry.Spec)], Services = [] },
            Listeners = [.. entries],
            Services = [],
            Descriptors = entries.ToDictionary(entry => DescriptorKey.Listener(entry.Spec.Name), entry => (int)entry.Inode),
            Held = new HeldEntry(2, 0, [.. entries.Select(entry => DescriptorKey.Listener(entry.Spec.Name))]),
        };
    }

    private static ListenerEntry Entry(int i, HistorySnapshot history)
    {
        var text = i % 6 == 1 ? $"unix:///run/l{i} \"quoted\".sock" : $"tcp://127.0.0.1:{1000 + i}";
        Assert.True(ListenAddress.TryParse(text, out var address, out _));
        var entry = new ListenerEntry
        {
            Spec = new ListenerSpec { Name = $"l{i}", Address = address },
            Effective = address,
            Inode = (ulong)i,
            History = history,
        };
        return (i % 6) switch
        {
            0 => entry with { PathDevice = 5, PathInode = (ulong)(100 + i) },
            1 => entry with { Aside = [new AsideEntry($"/run/l{i} \"quoted\".sock.7", 5, (ulong)i)] },
            2 => entry with { Asked = [new AskedEntry("SO_MARK", OptionValue.Of(i), null, Verdict.Exact)] },
            3 => entry with { Effective = ListenAddress.AnyFamily(ListenerKind.Tcp, 2000 + i), Drifts = 1 },
            4 => entry with { Effective = null, Failure = new SystemCallFailure("bind", "tcp", 98, "EADDRINUSE", "in use") },
            5 => entry with { IsGiven = true, GivesUp = TimeSpan.FromSeconds(i) },
            _ => entry,
        };
    }
}
