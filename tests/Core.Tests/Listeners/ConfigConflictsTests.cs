using System.Collections.Immutable;
using CsCheck;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Core.Tests.Listeners;

public sealed class ConfigConflictsTests
{
    [Theory]
    [InlineData("tcp://0.0.0.0:80", "tcp://[::]:80", true)]
    [InlineData("tcp://[::]:80", "tcp://127.0.0.1:80", true)]
    [InlineData("tcp://*:80", "tcp://0.0.0.0:80", true)]
    [InlineData("tcp://0.0.0.0:80", "tcp://10.0.0.1:80", true)]
    [InlineData("tcp://127.0.0.1:80", "mptcp://127.0.0.1:80", true)]
    [InlineData("udp://0.0.0.0:53", "udp://127.0.0.1:53", true)]
    [InlineData("unix:///run/a", "unix-dgram:///run/a", true)]
    [InlineData("unix://@a", "unix://@a", true)]
    [InlineData("unix://@a", "unix-dgram://@a", false)]
    [InlineData("unix:///a", "unix://@/a", false)]
    [InlineData("tcp://127.0.0.1:80", "tcp://127.0.0.2:80", false)]
    [InlineData("tcp://127.0.0.1:80", "udp://127.0.0.1:80", false)]
    [InlineData("tcp://0.0.0.0:80", "tcp://[::1]:80", false)]
    [InlineData("tcp://0.0.0.0:0", "tcp://0.0.0.0:0", false)]
    public void Two_listeners_with_overlapping_addresses_conflict(string first, string second, bool conflict)
    {
        Assert.Equal(conflict, ConfigConflicts.Find([Spec("a", first), Spec("b", second)], _ => 1).Any());
        Assert.Equal(conflict, ConfigConflicts.Find([Spec("a", second), Spec("b", first)], _ => 1).Any());
    }

    [Fact]
    public void Some_options_prevent_a_conflict_of_two_listeners()
    {
        var wildcard = Spec("six", "tcp://[::]:80");
        var four = Spec("four", "tcp://0.0.0.0:80");
        Assert.Empty(ConfigConflicts.Find([four, wildcard with { Bind = new BindOptions { IPv6Only = true } }], _ => 1));
        Assert.Empty(
            ConfigConflicts.Find([four with { Shards = 2 }, wildcard with { Bind = new BindOptions { ReusePort = true } }], _ => 1));
        var on = (string device) => four with { Name = device, Bind = new BindOptions { Device = device } };
        Assert.Empty(ConfigConflicts.Find([on("eth0"), on("eth1")], name => name == "eth0" ? 1u : 2));
        Assert.Single(ConfigConflicts.Find([on("eth0"), on("eth0")], _ => 1));
    }

    [Fact]
    public void The_diagnosis_names_the_other_listener()
    {
        var (spec, other) = Assert.Single(
            ConfigConflicts.Find([Spec("four", "tcp://0.0.0.0:80"), Spec("six", "tcp://[::]:80"), Spec("else", "tcp://[::]:81")], _ => 0));
        var diagnosis = BindFailureClassifier.DuplicateInConfig(spec, other);
        Assert.Equal(("EADDRINUSE", BindCause.DuplicateInConfig, false), (diagnosis.Errno, diagnosis.Cause!.Value, diagnosis.Retry));
        Assert.Contains("\"four\"", diagnosis.Verdict, StringComparison.Ordinal);
        Assert.Contains("ipv6_only", diagnosis.Advice, StringComparison.Ordinal);
    }

    private static ListenerSpec Spec(string name, string text)
    {
        Assert.True(ListenAddress.TryParse(text, out var address, out _));
        return new ListenerSpec { Name = name, Address = address };
    }

    private static readonly string[] Addresses =
    [
        "tcp://0.0.0.0:80", "tcp://[::]:80", "tcp://*:80", "tcp://127.0.0.1:80", "tcp://127.0.0.2:80", "tcp://[::1]:80",
        "tcp://[::ffff:127.0.0.1]:80", "tcp://[::ffff:0.0.0.0]:80", "tcp://[fe80::1%eth0]:80", "tcp://[fe80::1%eth1]:80",
        "tcp://127.0.0.6:80",
        "mptcp://127.0.0.1:80", "tcp://127.0.0.1:81", "tcp://127.0.0.1:0", "tcp://[::]:0", "udp://0.0.0.0:80", "udp://127.0.0.1:80",
        "udp://[::1]:80", "udp://[::ffff:127.0.0.1]:80", "unix:///run/a", "unix-dgram:///run/a", "unix://@a", "unix-dgram://@a",
        "vsock://*:80", "vsock://local:80", "vsock://*:0",
    ];

    /// <summary>The index of ports and addresses leaves out only pairs that cannot conflict.</summary>
    [Fact]
    public void The_index_finds_what_a_comparison_of_all_pairs_finds() => Gen
        .Select(Gen.Int[0, Addresses.Length - 1], Gen.Bool, Gen.Bool, Gen.Bool, Gen.Int[0, 2])
        .Array[0, 24]
        .Sample(drawn =>
        {
            ImmutableArray<ListenerSpec> specs =
            [
                .. drawn.Select((one, i) => Spec($"l{i}", Addresses[one.Item1]) with
                {
                    Bind = new BindOptions
                    {
                        ReusePort = one.Item2,
                        IPv6Only = one.Item3,
                        ReuseAddress = one.Item4 ? true : null,
                        Device = one.Item5 == 0 ? null : $"eth{one.Item5}",
                    },
                }),
            ];
            static uint Device(string name) => (uint)name[^1];
            var expected = specs.SelectMany((spec, i) => specs.Take(i)
                .Where(other => ConfigConflicts.Find([other, spec], Device).Any()).Take(1).Select(other => (spec.Name, other.Name)));
            Assert.Equal(expected, ConfigConflicts.Find(specs, Device).Select(found => (found.Spec.Name, found.Other.Name)));
        });
}
