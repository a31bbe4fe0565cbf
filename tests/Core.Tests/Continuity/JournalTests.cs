using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using CsCheck;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Core.State;

namespace Supervisor.Core.Tests.Continuity;

/// <summary>The journal of the state: what a reader finds is always the state at the end of some turn, the newest that is whole.</summary>
public class JournalTests
{
    private static readonly ServiceSpec Spec = new() { Name = "api", Command = ["/srv/api"], Listeners = ["web"], Workers = 2 };

    [Fact]
    public void A_journal_gives_the_state_of_its_last_line() => Gen.Int[0, 1_000_000].Sample(
        seed =>
        {
            var history = new Turns(seed);
            for (var turn = 0; turn < 12; turn++)
            {
                history.Next();
            }

            Assert.Equal(Text(history.Now), Text(Read(history.Checkpoint, history.Journal)));
        },
        iter: 50);

    /// <summary>A daemon that dies in a write leaves any number of its bytes.</summary>
    [Fact]
    public void A_journal_that_ends_anywhere_gives_the_state_of_a_turn()
    {
        var history = new Turns(7);
        for (var turn = 0; turn < 4; turn++)
        {
            history.Next();
        }

        for (var length = 0; length <= history.Journal.Length; length++)
        {
            var expected = history.States.Last(state => state.Length <= Math.Max(length, JournalFormat.HeaderLength)).State;
            Assert.Equal(expected, Text(Read(history.Checkpoint, history.Journal[..length])));
        }
    }

    [Fact]
    public void A_damaged_byte_costs_the_lines_from_there_on()
    {
        var history = new Turns(8);
        for (var turn = 0; turn < 3; turn++)
        {
            history.Next();
        }

        for (var at = 0; at < history.Journal.Length; at++)
        {
            var damaged = history.Journal.ToArray();
            damaged[at] ^= 0x41;
            var expected = history.States.Last(state => state.Length <= Math.Max(at, JournalFormat.HeaderLength)).State;
            var got = Text(Read(history.Checkpoint, damaged));
            Assert.True(expected == got || (at < JournalFormat.HeaderLength && got == history.States[0].State), $"byte {at}");
        }
    }

    [Fact]
    public void A_journal_of_another_checkpoint_changes_nothing()
    {
        var history = new Turns(9);
        history.Next();
        var other = ManifestFormat.Write(history.Start with { Pid = 8 });
        Assert.Equal(Text(history.Start with { Pid = 8 }), Text(Read(other, history.Journal)));
    }

    /// <summary>A checkpoint is written in slices: it has states that the first lines of its journal lead to.</summary>
    [Fact]
    public void Lines_that_a_checkpoint_has_already_change_nothing() => Gen.Int[0, 1_000_000].Sample(
        seed =>
        {
            var history = new Turns(seed);
            for (var turn = 0; turn < 6; turn++)
            {
                history.Next();
            }

            var checkpoint = ManifestFormat.Write(history.Now);
            var lines = history.Journal[JournalFormat.HeaderLength..];
            byte[] journal = [.. JournalFormat.Header(checkpoint.Length, Checksum.Of(checkpoint)), .. lines];
            Assert.Equal(Text(history.Now), Text(Read(checkpoint, journal)));
        },
        iter: 30);

    [Fact]
    public void A_change_of_one_worker_of_a_thousand_is_a_short_line()
    {
        var history = new Turns(1, workers: 1000);
        history.Next();
        Assert.InRange(history.Journal.Length, 1, 6 * 1024);
    }

    /// <summary>Most elements are read without a copy. A writer that orders fields in another way would make reading slow.</summary>
    [Fact]
    public void What_this_version_writes_has_the_shape_that_is_read_fast()
    {
        var history = new Turns(3);
        history.Next();
        using var written = JsonDocument.Parse(ManifestFormat.Write(history.Now));
        Assert.All(
            written.RootElement.GetProperty("services").EnumerateArray(),
            service => Assert.True(EntryShape.Of(ManifestJson.Default.ServiceEntry).Fits(service)));
        Assert.All(
            written.RootElement.GetProperty("listeners").EnumerateArray(),
            listener => Assert.True(EntryShape.Of(ManifestJson.Default.ListenerEntry).Fits(listener)));
    }

    [Fact]
    public void What_a_newer_version_wrote_outlasts_a_journal()
    {
        var history = new Turns(4);
        var newer = Encoding.UTF8.GetString(history.Checkpoint)
            .Replace("\"blocked\":", "\"invented\":5,\"blocked\":", StringComparison.Ordinal);
        Assert.True(ManifestFormat.TryRead(Encoding.UTF8.GetBytes(newer), out var manifest, out var unknown, out var error), error);
        var buffer = new ArrayBufferWriter<byte>();
        var service = manifest.Services[0];
        JournalFormat.Write(
            buffer,
            new StateChanges { Clock = 5, Services = [new ServiceChange(service with { Blocked = "why" }, service)] },
            unknown);
        var checkpoint = ManifestFormat.Write(manifest, unknown);
        byte[] journal = [.. JournalFormat.Header(checkpoint.Length, Checksum.Of(checkpoint)), .. buffer.WrittenSpan];
        Assert.True(ManifestFormat.TryRead(checkpoint, out var after, out var still, out error, journal), error);
        Assert.Equal("why", after.Services[0].Blocked);
        Assert.Contains("\"invented\":5", Encoding.UTF8.GetString(ManifestFormat.Write(after, still)), StringComparison.Ordinal);
    }

    private static DaemonManifest Read(byte[] checkpoint, byte[] journal)
    {
        Assert.True(ManifestFormat.TryRead(checkpoint, out var manifest, out _, out var error, journal), error);
        return manifest;
    }

    private static string Text(DaemonManifest manifest) => Encoding.UTF8.GetString(ManifestFormat.Write(manifest));

    /// <summary>A daemon whose state changes at random, as the checkpointer saves it.</summary>
    private sealed class Turns
    {
        private readonly Random _random;
        private readonly ArrayBufferWriter<byte> _line = new();
        private readonly HandleHistory _history = new(TimeProvider.System);
        private long _entries;

        public Turns(int seed, int workers = 2)
        {
            _random = new Random(seed);
            var listener = new ListenerEntry
            {
                Spec = new ListenerSpec { Name = "web", Address = ListenAddress.AnyFamily(ListenerKind.Tcp, 80) },
                History = _history.Snapshot(),
            };
            Now = Start = new DaemonManifest
            {
                Format = ManifestFormat.Current,
                LeastReader = ManifestFormat.LeastReader,
                Version = "1.2.3",
                Pid = 7,
                BootId = "boot",
                Clock = 1,
                StartedAt = DateTimeOffset.UnixEpoch,
                Config = new ConfigEntry { Listeners = [listener.Spec], Services = [Spec] },
                Listeners = [listener],
                Services = [Service("api", workers), Service("jobs", 1)],
            };
            Checkpoint = ManifestFormat.Write(Start);
            Journal = JournalFormat.Header(Checkpoint.Length, Checksum.Of(Checkpoint));
            States.Add((Journal.Length, Text(Start)));
        }

        public DaemonManifest Start { get; }

        public DaemonManifest Now { get; private set; }

        public byte[] Checkpoint { get; }

        public byte[] Journal { get; private set; }

        /// <summary>The length of the journal after each turn, and the state then.</summary>
        public List<(int Length, string State)> States { get; } = [];

        public void Next()
        {
            var changes = new StateChanges { Clock = Now.Clock + 1 };
            Now = Now with { Clock = changes.Clock };
            changes = _random.Next(7) switch
            {
                6 => ChangeConfig(changes),
                0 => ChangeListener(changes),
                1 => ReplaceListener(changes),
                2 => AddOrRemoveService(changes),
                _ => ChangeService(changes),
            };
            JournalFormat.Write(_line, changes);
            Journal = [.. Journal, .. _line.WrittenSpan];
            States.Add((Journal.Length, Text(Now)));
        }

        private StateChanges ChangeService(StateChanges changes)
        {
            var at = _random.Next(Now.Services.Length);
            var before = Now.Services[at];
            var state = before.State;
            var spec = _random.Next(4) == 0 ? state.Spec with { Umask = _random.Next(64) } : state.Spec;
            state = state with
            {
                Spec = spec,
                Specs = _random.Next(2) == 0 ? state.Specs : state.Specs.SetItem(_random.Next(1, 4), spec),
                Generation = state.Generation + _random.Next(2),
                Workers = Changed(state.Workers, id => Worker(id)),
            };
            var now = before with
            {
                State = state,
                Blocked = _random.Next(2) == 0 ? null : "why",
                Workers = Changed(before.Workers, Process),
            };
            Now = Now with { Services = Now.Services.SetItem(at, now) };
            return changes with { Services = [new ServiceChange(now, before)] };
        }

        /// <summary>As a reload does: what has not changed is the same object.</summary>
        private StateChanges ChangeConfig(StateChanges changes)
        {
            var before = Now.Config;
            ImmutableArray<ServiceSpec> services =
            [
                .. before.Services.Where(_ => _random.Next(4) > 0)
                    .Select(spec => _random.Next(3) > 0 ? spec : spec with { Umask = _random.Next(64) }),
                .. _random.Next(2) == 0 ? (ServiceSpec[])[] : [Spec with { Name = $"s{Now.Clock}" }],
            ];
            var now = before with
            {
                Metrics = _random.Next(2) == 0 ? null : "127.0.0.1:9469",
                Origin = new ConfigOrigin { Hash = $"{_random.Next(100)}" },
                Listeners = _random.Next(2) == 0 ? before.Listeners : [],
                Services = _random.Next(2) == 0 ? before.Services : _random.Next(3) == 0 ? [.. services.Reverse()] : services,
            };
            Now = Now with { Config = now };
            return changes with { Config = now, WrittenConfig = _random.Next(4) == 0 ? null : before };
        }

        private StateChanges AddOrRemoveService(StateChanges changes)
        {
            if (Now.Services.Length > 1)
            {
                var gone = Now.Services[_random.Next(Now.Services.Length)];
                Now = Now with { Services = Now.Services.Remove(gone) };
                return changes with { RemovedServices = [gone.Name] };
            }

            var service = Service(Now.Services[0].Name == "api" ? "jobs" : "api", _random.Next(3));
            Now = Now with { Services = Now.Services.Add(service) };
            return changes with { Services = [new ServiceChange(service, null)] };
        }

        private StateChanges ChangeListener(StateChanges changes)
        {
            for (var more = _random.Next(3); more >= 0; more--)
            {
                _history.Add(HandlePhase.Handoff, "exec", note: $"{_history.Count}");
            }

            var entry = Now.Listeners[0] with { IsIdle = !Now.Listeners[0].IsIdle, History = _history.Snapshot() };
            return SetListener(changes, entry, _history.After(_entries));
        }

        private StateChanges ReplaceListener(StateChanges changes)
        {
            var entry = Now.Listeners[0] with { Inode = (ulong)_random.Next(1000), History = _history.Snapshot() };
            return SetListener(changes, entry, _history.After(0)) with { RemovedListeners = ["web"] };
        }

        private StateChanges SetListener(StateChanges changes, ListenerEntry entry, IReadOnlyCollection<HistoryEntry> added)
        {
            _entries = _history.Count;
            Now = Now with { Listeners = [entry] };
            return changes with
            {
                Listeners =
                [
                    new ListenerChange(
                        "web", entry with { History = new HistorySnapshot(0, 0, [], []) }, _history.Created, _history.Count, added),
                ],
            };
        }

        /// <summary>Some elements are others, some are gone, and some are new at the end.</summary>
        private ImmutableArray<T> Changed<T>(ImmutableArray<T> items, Func<int, T> create)
            where T : class
        {
            var next = items.IsEmpty ? 1 : items.Max(IdOf) + 1;
            var changed = items.Length > 100
                ? [.. items.Skip(1)]
                : items.Where(_ => _random.Next(4) > 0).Select(item => _random.Next(3) > 0 ? item : create(IdOf(item))).ToList();
            changed.Add(create(next));
            return [.. changed];
        }

        private static int IdOf<T>(T item) => item is WorkerState worker ? worker.Id : ((WorkerEntry)(object)item!).Id;

        private WorkerState Worker(int id) => new()
        {
            Id = id,
            Slot = 0,
            Generation = 1,
            Phase = WorkerPhase.Ready,
            StartedAt = TimeSpan.FromSeconds(_random.Next(100)),
        };

        private WorkerEntry Process(int id) => new()
        {
            Id = id,
            Pid = _random.Next(1, 1000),
            Session = 1,
            StartedAt = DateTimeOffset.UnixEpoch,
            NotifyPath = "/n",
            OutputRest = [],
            ErrorRest = [],
        };

        private ServiceEntry Service(string name, int workers)
        {
            var spec = Spec with { Name = name };
            return new ServiceEntry
            {
                State = ServiceState.Create(spec) with { Workers = [.. Enumerable.Range(1, workers).Select(Worker)] },
                Workers = [.. Enumerable.Range(1, workers).Select(Process)],
            };
        }
    }
}
