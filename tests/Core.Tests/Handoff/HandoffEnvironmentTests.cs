using Supervisor.Core.Handoff;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Handoff;

/// <summary>Where stored descriptors stand, and what the worker reads of them.</summary>
public class HandoffEnvironmentTests
{
    private static readonly HandedListener Web = new("web", ListenerKind.Tcp, SocketDomain.IPv4, null);

    [Fact]
    public void Stored_descriptors_follow_the_listeners()
    {
        var environment = For(HandoffKind.ListenFds, [Web, Web], "cache", "stored");
        Assert.Equal((3, 5), (environment.FirstDescriptor, environment.FirstStored));
        Assert.Equal(["LISTEN_FDS=4", "LISTEN_FDNAMES=web:web:cache:stored"], environment.Variables.Select(pair => $"{pair.Key}={pair.Value}"));
        Assert.Equal("LISTEN_PID", Assert.Single(environment.PidVariables));
    }

    [Fact]
    public void Without_any_there_are_the_listeners_alone()
    {
        var environment = For(HandoffKind.ListenFds, [Web]);
        Assert.Equal((3, null), (environment.FirstDescriptor, environment.FirstStored));
        Assert.Equal(["LISTEN_FDS=1", "LISTEN_FDNAMES=web"], environment.Variables.Select(pair => $"{pair.Key}={pair.Value}"));
        Assert.Empty(For(HandoffKind.ListenFds, []).Variables);
        Assert.Null(For(HandoffKind.ListenFds, []).FirstDescriptor);
    }

    [Theory]
    [InlineData(HandoffKind.None, null)]
    [InlineData(HandoffKind.ScmRights, null)]
    [InlineData(HandoffKind.Stdin, 0)]
    public void A_protocol_that_leaves_them_free_passes_stored_ones_from_3(HandoffKind kind, int? first)
    {
        var environment = For(kind, [Web], "cache");
        Assert.Equal((first, 3), (environment.FirstDescriptor, environment.FirstStored));
        Assert.Contains(new("LISTEN_FDNAMES", "cache"), environment.Variables);
        Assert.Empty(For(kind, [Web]).Variables);
        Assert.True(HandoffEnvironment.PassesStored(kind));
    }

    [Theory]
    [InlineData(HandoffKind.Nginx)]
    [InlineData(HandoffKind.Gunicorn)]
    [InlineData(HandoffKind.ServerStarter)]
    [InlineData(HandoffKind.Einhorn)]
    public void Other_protocols_pass_none(HandoffKind kind)
    {
        Assert.Null(For(kind, [Web with { Effective = Address() }], "cache").FirstStored);
        Assert.False(HandoffEnvironment.PassesStored(kind));
    }

    [Theory]
    [InlineData("cache", true)]
    [InlineData("", false)]
    [InlineData("a:b", false)]
    [InlineData("a\tb", false)]
    [InlineData("ü", false)]
    public void A_name_is_printable_and_has_no_colon(string name, bool valid) => Assert.Equal(valid, StoredName.IsValid(name));

    [Fact]
    public void A_name_has_255_characters_at_most()
    {
        Assert.True(StoredName.IsValid(new string('a', 255)));
        Assert.False(StoredName.IsValid(new string('a', 256)));
    }

    private static ListenAddress Address()
    {
        Assert.True(ListenAddress.TryParse("tcp://127.0.0.1:80", out var address, out _));
        return address;
    }

    private static HandoffEnvironment For(HandoffKind kind, HandedListener[] listeners, params string[] stored) =>
        HandoffEnvironment.For(kind, listeners, 1, 100, stored);
}
