using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using CsCheck;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Continuity;

/// <summary>The state that a successor is given: nothing of it is lost, whichever of the two knows more.</summary>
public class ManifestTests
{
    private static readonly ServiceSpec Spec = new()
    {
        Name = "api",
        Command = ["/srv/api", "--verbose", "a \"b\" ü\n"],
        Listeners = ["web"],
        Workers = 3,
        Readiness = new Readiness(ReadinessKind.Http, "/healthz"),
        Environment = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add("MODE", "x").Add("mode", "y"),
        Limits = [new ResourceLimit("nofile", 7, ulong.MaxValue)],
        Hooks = new HookSpec { PostReady = ["/hook"] },
        Rollout = new RolloutSpec { MaxSurge = 2 },
        Restart = new RestartSpec { Limit = 2 },
        Log = new LogTarget(LogTargetKind.File, "/var/log/api"),
    };

    private static readonly Gen<ServiceState> States =
        from moves in Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9]).List[0, 40]
        select State(moves);

    [Fact]
    public void Every_service_state_survives_serialisation() => States.Sample(
        state =>
        {
            var before = Manifest(state);
            var bytes = ManifestFormat.Write(before);
            Assert.True(ManifestFormat.TryRead(bytes, out var after, out var unknown, out var error), error);
            Assert.True(unknown.IsEmpty);
            Assert.Equal(bytes, ManifestFormat.Write(after));
            var restored = after.Services[0].State;
            Assert.Equal(state.Workers.AsEnumerable(), restored.Workers);
            Assert.Equal(state.NextDeadline, restored.NextDeadline);
            Assert.Equal(state.Condition, restored.Condition);
            Assert.Equal(state.Slots.Select(slot => slot.LastExit), restored.Slots.Select(slot => slot.LastExit));

            // And it goes on as the first one would have.
            var now = TimeSpan.FromSeconds(1000);
            var one = ServiceMachine.Step(state, new TimePassed(), now);
            var other = ServiceMachine.Step(restored, new TimePassed(), now);
            Assert.Equal(one.Effects.Length, other.Effects.Length);
            Assert.Equal(one.State.Workers.AsEnumerable(), other.State.Workers);
        },
        iter: 200);

    /// <summary>What is written by code of our own is what the serializer would write: a field that it forgets is lost.</summary>
    [Fact]
    public void The_manifest_writes_every_field() => States.Sample(
        state =>
        {
            var service = new ServiceEntry
            {
                State = state with { Preparing = 3, Announced = 2 },
                Blocked = "why",
                Identity = new IdentityEntry { Uid = 1, Gid = 2, Groups = [3], Variables = ["A=b"] },
                Workers = [new WorkerEntry {
                    Id = 1,
                    Pid = 2,
                    Session = 3,
                    StartedAt = DateTimeOffset.UnixEpoch,
                    NotifyPath = "/n",
                    Sockets = [4],
                    OutputRest = [5],
                    FirstStartTime = 6,
                    Uid = 7,
                    Token = "t" }],
                Stored = [new StoredEntry(0, "a")],
                Hook = new HookEntry { Hook = new HookEffect(HookKind.PreStart, 1), Pid = 9 },
                WaitingHooks = [new HookEffect(HookKind.PostStop, 2)],
                Output = new StreamEntry(7, [JsonDocument.Parse("{\"x\":1}").RootElement]),
            };
            var manifest = Manifest(state) with
            {
                Upgrades = 4,
                TokenMark = "m",
                Services = [service, Manifest(state).Services[0]],
                Events = new StreamEntry(8, []),
                Descriptors = ImmutableSortedDictionary.Create<string, int>(StringComparer.Ordinal).Add("k", 5),
                Held = new HeldEntry(10, 4, ["k"]),
            };
            var written = JsonNode.Parse(ManifestFormat.Write(manifest));
            Assert.True(
                JsonNode.DeepEquals(JsonSerializer.SerializeToNode(manifest, ManifestJson.Default.DaemonManifest), written),
                written!.ToJsonString());
        },
        iter: 100);

    /// <summary>More than a piece, and single values that are larger than one.</summary>
    [Fact]
    public void A_large_state_is_written_whole()
    {
        var state = ServiceState.Create(Spec with { Command = [new string('x', 100_000), "y"] }) with
        {
            Slots = [.. Enumerable.Range(0, 1000).Select(index => new SlotState { Index = index, Generation = 1 })],
        };
        var manifest = Manifest(state);
        Assert.True(ManifestFormat.TryRead(ManifestFormat.Write(manifest), out var read, out _, out var error), error);
        Assert.Equal(state.Spec.Command.AsEnumerable(), read.Services[0].State.Spec.Command);
        Assert.Equal(state.Slots.AsEnumerable(), read.Services[0].State.Slots);
    }

    [Fact]
    public void Addresses_options_and_histories_survive_serialisation()
    {
        string[] texts =
        [
            "tcp://*:0", "tcp://[fe80::1%eth0]:80", "udp://0.0.0.0:53", "unix:///run/a b.sock", "unix-seqpacket://@abstract", "vsock://*:7",
            "mptcp://[::]:1",
        ];
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        foreach (var text in texts)
        {
            Assert.True(ListenAddress.TryParse(text, out var address, out _));
            var history = new HandleHistory(time);
            for (var i = 0; i < 1500; i++)
            {
                history.Add(
                    HandlePhase.Bind,
                    "bind",
                    "SO_X",
                    OptionValue.Of(i),
                    OptionValue.Of("name"),
                    "EADDRINUSE",
                    Verdict.Refused,
                    new HistoryActor(i, "me"),
                    "note");
            }

            var spec = new ListenerSpec
            {
                Name = "web",
                Address = address,
                Accepted = new AcceptedOptions { Linger = TimeSpan.Zero, NoDelay = false },
                Datagram = new DatagramOptions { Multicast = [new MulticastMembership(IPAddress.Parse("239.1.2.3"), "eth0", null)] },
            };
            var entry = new ListenerEntry
            {
                Spec = spec,
                Effective = address,
                Inode = ulong.MaxValue,
                Origin = HandleOrigin.Given,
                History = history.Snapshot(),
                Asked = [new AskedEntry("SO_RCVBUF", OptionValue.Of(1), null, Verdict.Drifted)],
            };
            var manifest = Manifest(ServiceState.Create(Spec)) with { Listeners = [entry] };
            Assert.True(ManifestFormat.TryRead(ManifestFormat.Write(manifest), out var read, out _, out var error), error);
            Assert.Equal(address, read.Listeners[0].Spec.Address);
            Assert.Equal(spec.Datagram.Multicast.AsEnumerable(), read.Listeners[0].Spec.Datagram.Multicast);
            Assert.Equal(entry.Asked.AsEnumerable(), read.Listeners[0].Asked);
            var restored = new HandleHistory(time, read.Listeners[0].History);
            Assert.Equal(history.Entries, restored.Entries);
            restored.Add(HandlePhase.Adopt, "execve");
            Assert.Equal(1501, restored.Latest!.Seq);
            Assert.Equal(history.Dropped + 1, restored.Dropped);
        }
    }

    [Fact]
    public void Fields_of_a_newer_version_are_preserved()
    {
        var bytes = ManifestFormat.Write(Manifest(State([(0, 0), (1, 0), (2, 1)])));
        var document = JsonNode.Parse(bytes)!;
        document["future"] = JsonNode.Parse("""{"a": [1, null]}""");
        document["services"]![0]!["state"]!["future"] = 7;
        document["services"]![0]!["state"]!["spec"]!["future"] = "x";
        document["services"]![0]!["state"]!["workers"]![1]!["future"] = true;
        document["services"]![0]!["state"]!["workers"]![0]!["gone"] = true;

        Assert.True(ManifestFormat.TryRead(
            System.Text.Encoding.UTF8.GetBytes(document.ToJsonString()),
            out var read,
            out var unknown,
            out var error), error);
        var service = read.Services[0];
        var changed = read with
        {
            Services = [service with { State = service.State with { Workers = service.State.Workers
            .RemoveAt(0), Desired = 9 } }],
            Upgrades = 3
        };
        var again = JsonNode.Parse(ManifestFormat.Write(changed, unknown))!;
        Assert.Equal("""{"a":[1,null]}""", again["future"]!.ToJsonString());
        Assert.Equal(7, (int)again["services"]![0]!["state"]!["future"]!);
        Assert.Equal("x", (string)again["services"]![0]!["state"]!["spec"]!["future"]!);
        Assert.True((bool)again["services"]![0]!["state"]!["workers"]![0]!["future"]!);
        Assert.Null(again["services"]![0]!["state"]!["workers"]![0]!["gone"]);
        Assert.Equal(9, (int)again["services"]![0]!["state"]!["desired"]!);
        Assert.Equal(3, (int)again["upgrades"]!);
    }

    [Fact]
    public void Fields_that_an_older_version_omits_have_their_defaults()
    {
        var document = JsonNode.Parse(ManifestFormat.Write(Manifest(ServiceState.Create(Spec))))!;
        var state = (JsonObject)document["services"]![0]!["state"]!;
        state.Remove("prepared");
        state.Remove("workers");
        state.Remove("newest_generation");
        ((JsonObject)state["spec"]!).Remove("hooks");
        ((JsonObject)state["spec"]!).Remove("start_timeout");
        ((JsonObject)state["spec"]!["rollout"]!).Remove("max_generations");
        Assert.True(
            ManifestFormat.TryRead(System.Text.Encoding.UTF8.GetBytes(document.ToJsonString()), out var read, out _, out var error),
            error);
        var restored = read.Services[0].State;
        Assert.Empty(restored.Prepared);
        Assert.Empty(restored.Workers);
        Assert.Equal(1, restored.NewestGeneration);
        Assert.Empty(restored.Spec.Hooks.PreStart);
        Assert.Equal(TimeSpan.FromSeconds(30), restored.Spec.StartTimeout);
        Assert.Equal(3, restored.Spec.Rollout.MaxGenerations);
    }

    /// <summary>Versions that know the states as booleans read them, and are read.</summary>
    [Fact]
    public void Phases_keep_the_form_of_older_versions()
    {
        SlotState[] slots =
        [
            new() { Index = 0, Generation = 1 },
            new() { Index = 1, Generation = 1, NextTry = TimeSpan.FromSeconds(9) },
            new() { Index = 2, Generation = 1, Phase = SlotPhase.Limited, NextTry = TimeSpan.FromSeconds(9) },
            new() { Index = 3, Generation = 1, Phase = SlotPhase.Limited },
            new() { Index = 4, Generation = 1, Phase = SlotPhase.Finished, IsVacated = true },
        ];
        WorkerState Worker(int id, EndReason reason, string? hang = null) =>
            new() { Id = id, Slot = 0, Generation = 1, Phase = WorkerPhase.Stopping, StartedAt = default, EndReason = reason, Hang = hang };
        var state = ServiceState.Create(Spec) with
        {
            IsStarted = true,
            Slots = [.. slots],
            Workers = [Worker(0, EndReason.None), Worker(1, EndReason.Requested), Worker(2, EndReason.StartTimedOut), Worker(
                3,
                EndReason.Hung,
                "why") with { RestartDecided = true }],
            Rollout = new RolloutState
            {
                Phase = RolloutPhase.Waiting,
                From = 1,
                To = 2,
                StartedAt = default,
                Canary = 1,
                IsPromoted = true,
                WaitsFor = [1]
            },
        };
        var bytes = ManifestFormat.Write(Manifest(state));
        var written = JsonNode.Parse(bytes)!["services"]![0]!["state"]!;
        Assert.True((bool)written["wanted"]!);
        Assert.Equal("FF FF TF TF FT", Bits(written["slots"]!, "limit_reached", "finished"));
        Assert.Equal("F F F F T", Bits(written["slots"]!, "yielded"));
        Assert.Equal("FFF TFF TTF TFT", Bits(written["workers"]!, "end_requested", "start_timed_out", "judged"));
        Assert.Equal(
            ("Replacing", false, true),
            ((string)written["rollout"]!["phase"]!, (bool)written["rollout"]!["has_begun"]!, (bool)written["rollout"]!["promoted"]!));

        Assert.True(ManifestFormat.TryRead(bytes, out var read, out _, out var error), error);
        var restored = read.Services[0].State;
        Assert.Equal(
            slots.Select(slot => (slot.Phase, slot.NextTry, slot.IsVacated)),
            restored.Slots.Select(slot => (slot.Phase, slot.NextTry, slot.IsVacated)));
        Assert.Equal(state.Workers.AsEnumerable(), restored.Workers);
        Assert.Equal((RolloutPhase.Waiting, true), (restored.Rollout!.Phase, restored.Rollout.IsPromoted));

        static string Bits(JsonNode items, params string[] fields) =>
            string.Join(' ', items.AsArray().Select(item => string.Concat(fields.Select(field => (bool)item![field]! ? 'T' : 'F'))));
    }

    [Theory]
    [InlineData("least_reader", "2", "format")]
    [InlineData("format", null, "format")]
    [InlineData("services", null, "services")]
    [InlineData("clock", "\"x\"", "clock")]
    public void An_unreadable_manifest_is_rejected_with_the_cause(string field, string? value, string named)
    {
        var document = (JsonObject)JsonNode.Parse(ManifestFormat.Write(Manifest(ServiceState.Create(Spec))))!;
        document.Remove(field);
        if (value is not null)
        {
            document[field] = JsonNode.Parse(value);
        }

        Assert.False(ManifestFormat.TryRead(System.Text.Encoding.UTF8.GetBytes(document.ToJsonString()), out _, out _, out var error));
        Assert.Contains(named, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_manifest_is_rejected()
    {
        var bytes = ManifestFormat.Write(Manifest(ServiceState.Create(Spec)));
        foreach (var length in new[] { 0, 1, bytes.Length / 2, bytes.Length - 1 })
        {
            Assert.False(ManifestFormat.TryRead(bytes.AsMemory(0, length), out _, out _, out _));
        }
    }

    /// <summary>
    /// The serializer sets each init-only property, so that one which the writer did not know would be null instead of what
    /// its initializer says: every record with such properties has to be among those whose defaults are known.
    /// </summary>
    [Fact]
    public void Every_record_in_the_manifest_has_its_defaults()
    {
        var seen = new HashSet<Type>();
        var missing = new List<string>();
        Look(ManifestJson.Default.DaemonManifest);
        Assert.True(missing.Count == 0, $"add to ManifestFormat.Defaults: {string.Join(", ", missing)}");

        void Look(JsonTypeInfo type)
        {
            if (!seen.Add(type.Type))
            {
                return;
            }

            switch (type.Kind)
            {
                case JsonTypeInfoKind.Object:
                    var byConstructor = type.Type.GetConstructors().Max(constructor => constructor.GetParameters().Length);
                    if (type.Properties.Any(property => !property.IsRequired) && type.Properties.Count > byConstructor
                        && !ManifestFormat.WithDefaults.Contains(type.Type))
                    {
                        missing.Add(type.Type.Name);
                    }

                    foreach (var property in type.Properties.Where(property => property.CustomConverter is null))
                    {
                        Look(type.Options.GetTypeInfo(property.PropertyType));
                    }

                    break;
                case JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary:
                    Look(type.Options.GetTypeInfo(type.ElementType!));
                    break;
                default:
                    break;
            }
        }
    }

    private static ServiceState State(IEnumerable<(int Kind, int Which)> moves)
    {
        var state = ServiceState.Create(Spec);
        var now = TimeSpan.FromTicks(12345);
        var pid = 100;
        void Step(ServiceEvent what)
        {
            var (next, effects) = ServiceMachine.Step(state, what, now);
            state = next;
            foreach (var spawn in effects.OfType<SpawnEffect>())
            {
                Step(new WorkerSpawned(spawn.Worker.Id, pid++));
            }
        }

        Step(new StartRequested());
        foreach (var (kind, which) in moves)
        {
            now += TimeSpan.FromTicks(3_000_001 * (which + 1));
            var id = state.Workers.IsEmpty ? 0 : state.Workers[which % state.Workers.Length].Id;
            Step(kind switch
            {
                0 or 1 or 2 => new WorkerReady(id),
                3 => new RestartRequested(),
                4 => new WorkerEnded(id, ExitReason.Signalled(11, true)),
                5 => new ScaleRequested(which + 1),
                6 => new TimePassed(),
                7 => new WorkerWatchdogSet(id, TimeSpan.FromSeconds(which)),
                8 => new WorkerLeaving(id),
                _ => new HookEnded(HookKind.PostReady, 1, null),
            });
        }

        return state;
    }

    private static DaemonManifest Manifest(ServiceState state) => new()
    {
        Format = ManifestFormat.Current,
        LeastReader = ManifestFormat.LeastReader,
        Version = "1.2.3",
        Pid = 7,
        BootId = "boot",
        Clock = 123_456_789_012_345,
        StartedAt = new DateTimeOffset(2026, 1, 2, 3, 4, 5, 6, TimeSpan.Zero),
        Config = new ConfigEntry { Listeners = [], Services = [Spec] },
        Listeners = [],
        Services =
        [
            new ServiceEntry
            {
                State = state,
                Identity = new IdentityEntry { Uid = 0, Groups = [1, 2] },
                Workers = [new WorkerEntry {
                    Id = 1,
                    Pid = 2,
                    Session = 2,
                    StartedAt = DateTimeOffset.UnixEpoch,
                    NotifyPath = "/n",
                    OutputRest = [1, 255] }],
                Hook = new HookEntry { Hook = new HookEffect(HookKind.PostReady, 2), Pid = 9 },
                WaitingHooks = [new HookEffect(HookKind.PreStart, 3)],
                Output = new StreamEntry(9, [JsonSerializer.SerializeToElement(new { a = 1 })]),
            },
        ],
        Descriptors = ImmutableSortedDictionary<string, int>.Empty.Add("lock", 3),
    };
}
