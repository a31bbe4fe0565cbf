using System.Net;
using Supervisor.Config.Settings;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests;

/// <summary>The sample of the documentation, in the corpus as full.toml.</summary>
public sealed class SampleTests
{
    private readonly ListendConfig _config =
        Parsing.Good(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Corpus", "full.toml")));

    [Fact]
    public void The_sample_has_its_daemon_settings() =>
        Assert.Equal(new DaemonConfig { RuntimeDirectory = "/run/listend", Metrics = "127.0.0.1:9469" }, _config.Daemon);

    [Fact]
    public void The_sample_has_its_listeners()
    {
        Assert.Equal(["web", "local", "discovery", "game"], _config.Listeners.Select(l => l.Name));
        var web = _config.Listeners[0];
        Assert.Equal(ListenAddress.Internet(ListenerKind.Tcp, IPAddress.IPv6Any, 8080), web.Address);
        Assert.Equal(1, web.Shards);
        Assert.True(web.Enforce);
        Assert.Equal(new BindOptions { ReuseAddress = true, Device = "eth0", Mark = 7 }, web.Bind);
        Assert.Equal(new BufferOptions { Receive = 1048576, Send = 1048576 }, web.Buffers);
        Assert.Equal(new ListenOptions { Backlog = 4096, DeferAccept = TimeSpan.FromSeconds(5), FastOpen = 256 }, web.Listen);
        Assert.Equal(
            new AcceptedOptions
            {
                NoDelay = true,
                KeepAlive = true,
                KeepAliveIdle = TimeSpan.FromSeconds(60),
                KeepAliveInterval = TimeSpan.FromSeconds(10),
                KeepAliveProbes = 6,
                UserTimeout = TimeSpan.FromSeconds(30),
                Linger = TimeSpan.Zero,
                NotSentLowWater = 16384,
                Congestion = "cubic",
                TypeOfService = 16,
                TimeToLive = 64,
            },
            web.Accepted);
        Assert.Equal(TimeSpan.FromSeconds(10), web.ConflictWait);
        Assert.Equal(["user:deploy", "group:web"], web.Allow.ToArray());
        Assert.Equal(
            new UnixOptions { Mode = 0b110_110_000, User = "www-data", Group = "www-data", RemoveStale = true, PassCredentials = false },
            _config.Listeners[1].Unix);
        Assert.Equal(
            new MulticastMembership(IPAddress.Parse("239.1.2.3"), "eth0", IPAddress.Parse("192.0.2.1")),
            Assert.Single(_config.Listeners[2].Datagram.Multicast));
    }

    [Fact]
    public void The_sample_has_its_service()
    {
        var api = Assert.Single(_config.Services);
        Assert.Equal("api", api.Name);
        Assert.Equal(["/srv/api/current/api", "--verbose"], api.Command.ToArray());
        Assert.Equal(["web"], api.Listeners.ToArray());
        Assert.Equal(4, api.Workers);
        Assert.Equal(StartMode.Now, api.Start);
        Assert.Equal(TimeSpan.Zero, api.StopWhenIdle);
        Assert.Equal(HandoffKind.ListenFds, api.Handoff);
        Assert.Equal(Readiness.Notify, api.Readiness);
        Assert.Equal(TimeSpan.FromSeconds(30), api.StartTimeout);
        Assert.Equal(15, api.StopSignal);
        Assert.Equal(TimeSpan.FromSeconds(30), api.StopTimeout);
        Assert.Equal(new RolloutSpec(), api.Rollout);
        Assert.Equal(new RestartSpec(), api.Restart);
        Assert.Equal(TimeSpan.Zero, api.Watchdog);
        Assert.Equal("api", api.User);
        Assert.Equal("api", api.Group);
        Assert.Empty(api.SupplementaryGroups);
        Assert.Equal("/srv/api", api.WorkingDirectory);
        Assert.Equal("production", Assert.Single(api.Environment, e => e.Key == "MODE").Value);
        Assert.Equal(["/etc/default/api"], api.EnvironmentFiles.ToArray());
        Assert.Equal(18, api.Umask);
        Assert.Equal(0, api.Nice);
        Assert.Equal([new ResourceLimit("core", 4, 0), new ResourceLimit("nofile", 7, 65536)], api.Limits.ToArray());
        Assert.True(api.NoNewPrivileges);
        Assert.Empty(api.Capabilities);
        Assert.Equal(new LogTarget(LogTargetKind.Journal), api.Log);
        Assert.Equal(["/srv/api/migrate"], api.Hooks.PreStart.ToArray());
        Assert.Empty(api.Hooks.PostReady);
        Assert.Empty(api.Hooks.PostStop);
    }

    [Fact]
    public void An_omitted_setting_has_its_documented_default()
    {
        var config = Parsing.Good("[listener.a]\naddress = \"tcp://*:1\"\n[service.b]\ncommand = [\"/b\"]\n");
        Assert.Equal(new DaemonConfig(), config.Daemon);
        Assert.Equal(new ListenerSpec { Name = "a", Address = ListenAddress.AnyFamily(ListenerKind.Tcp, 1) }, config.Listeners[0]);
        var service = config.Services[0];
        Assert.Equal(new ServiceSpec { Name = "b", Command = service.Command, Environment = service.Environment }, service);
        Assert.Empty(service.Environment);
        Assert.Equal(LogTarget.Default, service.Log);
    }
}
