using Supervisor.Core.Listeners;
using Supervisor.Core.Protocols;
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
        Assert.Equal(
            ["LISTEN_FDS=4", "LISTEN_FDNAMES=web:web:cache:stored"],
            environment.Variables.Select(pair => $"{pair.Key}={pair.Value}"));
        Assert.Equal("LISTEN_PID", Assert.Single(environment.PidVariables));
    }

    [Fact]
    public void The_environment_without_stored_descriptors_has_listeners()
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
    public void A_protocol_without_fixed_numbers_passes_stored_ones_from_3(HandoffKind kind, int? first)
    {
        var environment = For(kind, [Web], "cache");
        Assert.Equal((first, 3), (environment.FirstDescriptor, environment.FirstStored));
        Assert.Contains(new("LISTEN_FDNAMES", "cache"), environment.Variables);
        Assert.Equal(
            kind == HandoffKind.ScmRights ? ["LISTEND_LISTENERS=web"] : [],
            For(kind, [Web]).Variables.Select(pair => $"{pair.Key}={pair.Value}"));
        Assert.True(HandoffEnvironment.PassesStored(kind));
    }

    [Theory]
    [InlineData(HandoffKind.Nginx)]
    [InlineData(HandoffKind.Gunicorn)]
    [InlineData(HandoffKind.ServerStarter)]
    [InlineData(HandoffKind.Einhorn)]
    public void Other_protocols_pass_no_stored_descriptors(HandoffKind kind)
    {
        Assert.Null(For(kind, [Web with { Effective = Address() }], "cache").FirstStored);
        Assert.False(HandoffEnvironment.PassesStored(kind));
    }

    [Theory]
    [InlineData(HandoffKind.ListenFds, true)]
    [InlineData(HandoffKind.ScmRights, true)]
    [InlineData(HandoffKind.Stdin, true)]
    [InlineData(HandoffKind.None, true)]
    [InlineData(HandoffKind.Nginx, false)]
    [InlineData(HandoffKind.Gunicorn, false)]
    [InlineData(HandoffKind.ServerStarter, false)]
    [InlineData(HandoffKind.Einhorn, false)]
    public void Only_some_protocols_pass_what_is_not_a_socket_of_clients(HandoffKind handoff, bool passes)
    {
        foreach (var kind in Enum.GetValues<ListenerKind>())
        {
            var isOther = kind is ListenerKind.Fifo or ListenerKind.MessageQueue or ListenerKind.Special or ListenerKind.Netlink;
            Assert.Equal(passes || !isOther, HandoffEnvironment.CanPass(handoff, kind));
        }
    }

    /// <summary>Every protocol with three listeners: what each variable holds, and where the first descriptor stands.</summary>
    [Theory]
    [InlineData(HandoffKind.ListenFds, 3, "LISTEN_FDS=3", "LISTEN_FDNAMES=web:local:dns")]
    [InlineData(HandoffKind.ScmRights, null, "LISTEND_LISTENERS=web:local:dns")]
    [InlineData(HandoffKind.None, null)]
    [InlineData(HandoffKind.Stdin, 0)]
    [InlineData(HandoffKind.Nginx, 3, "NGINX=3;4;5;")]
    [InlineData(HandoffKind.Gunicorn, 3, "GUNICORN_FD=3,4,5", "GUNICORN_PID=100")]
    [InlineData(
        HandoffKind.ServerStarter,
        3,
        "SERVER_STARTER_PORT=127.0.0.1:80=3;/run/local.sock=4;[::]:53=5",
        "SERVER_STARTER_GENERATION=1")]
    [InlineData(
        HandoffKind.Einhorn,
        3,
        "EINHORN_MASTER_PID=100",
        "EINHORN_FD_COUNT=3",
        "EINHORN_FD_0=3",
        "EINHORN_FD_1=4",
        "EINHORN_FD_2=5",
        "EINHORN_FD_FAMILY_0=AF_INET",
        "EINHORN_FD_FAMILY_1=AF_UNIX",
        "EINHORN_FD_FAMILY_2=AF_INET6")]
    public void Each_protocol_sets_its_variables(HandoffKind kind, int? first, params string[] variables)
    {
        HandedListener[] listeners =
        [
            new("web", ListenerKind.Tcp, SocketDomain.IPv4, Address()),
            new("local", ListenerKind.UnixStream, SocketDomain.Unix, Address("unix:///run/local.sock")),
            new("dns", ListenerKind.Udp, SocketDomain.IPv6, Address("udp://[::]:53")),
        ];
        var environment = For(kind, listeners);
        Assert.Equal(variables, environment.Variables.Select(pair => $"{pair.Key}={pair.Value}"));
        Assert.Equal(
            (first, kind == HandoffKind.ListenFds ? "LISTEN_PID" : ""),
            (environment.FirstDescriptor, string.Join(' ', environment.PidVariables)));
    }

    [Fact]
    public void Server_starter_names_a_wildcard_only_by_its_port() =>
        Assert.Contains(
            new("SERVER_STARTER_PORT", "8080=3"),
            For(HandoffKind.ServerStarter, [Web with { Effective = Address("tcp://0.0.0.0:8080") }]).Variables);

    [Theory]
    [InlineData("cache", true)]
    [InlineData("", true)]
    [InlineData("a:b", false)]
    [InlineData("a\tb", false)]
    [InlineData("ü", false)]
    public void A_name_is_printable_and_has_no_colon(string name, bool valid) => Assert.Equal(valid, StoredName.IsValid(name));

    [Fact]
    public void A_name_has_at_most_255_characters()
    {
        Assert.True(StoredName.IsValid(new string('a', 255)));
        Assert.False(StoredName.IsValid(new string('a', 256)));
    }

    private static ListenAddress Address(string text = "tcp://127.0.0.1:80")
    {
        Assert.True(ListenAddress.TryParse(text, out var address, out _));
        return address;
    }

    private static HandoffEnvironment For(HandoffKind kind, HandedListener[] listeners, params string[] stored) =>
        HandoffEnvironment.For(kind, listeners, 1, 100, stored);
}
