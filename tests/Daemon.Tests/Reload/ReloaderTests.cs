using System.Net;
using System.Net.Sockets;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Validation;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reload;
using Supervisor.Daemon.Reports;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;

namespace Supervisor.Daemon.Tests.Reload;

/// <summary>A reload on real sockets, without workers: what is prepared is committed as a whole, or undone as a whole.</summary>
public sealed class ReloaderTests : IDisposable
{
    private const string A = "[listener.a]\naddress = \"tcp://127.0.0.1:0\"\n";

    private readonly LoopThread _thread = new();
    private readonly TemporaryRuntime _runtime = new();
    private readonly FakeLog _log = new();
    private readonly Lifecycle _lifecycle = new();
    private readonly ConfigInForce _config = new(new ListendConfig(), new ConfigOrigin());
    private readonly ListenerFactory _factory;
    private readonly ListenerTable _listeners;
    private readonly Reloader _reloader;

    public ReloaderTests()
    {
        _factory = new ListenerFactory(TimeProvider.System, _log.Log);
        _listeners = new ListenerTable(_factory);
        var info = new DaemonInfo(null, _runtime.Paths, IsDirectoryGiven: true, DateTimeOffset.UnixEpoch, 0);
        var events = new EventLog(_thread.Loop);
        _reloader = _thread.Ask(() => new Reloader(new ReloadContext(
            _thread.Loop, info, _lifecycle, _config, _listeners, new ServiceTable(_ => throw new NotSupportedException()),
            events, new ChangeRequests(events, new LogLimit(_thread.Loop, _log.Log), _log.Log),
            new DriftWatch(_thread.Loop, _factory), _factory,
            new ConflictWatch(_thread.Loop, _factory, _log.Log), () => { }, _log.Log))).GetAwaiter().GetResult();
    }

    [Fact]
    public async Task New_listeners_are_bound_and_the_configuration_is_in_force()
    {
        var document = await ApplyAsync(A);
        Assert.True(document.Applied);
        Assert.Equal(("listener", "a", "added"), document.Actions.Select(action => (action.Subject, action.Name, action.Action)).Single());
        Assert.NotNull(_listeners.Find("a")!.Descriptor);
        Assert.Equal("a", Assert.Single(_config.Current.Listeners).Name);
        Assert.Contains(MessageIds.ReloadApplied, _log.Kinds);
    }

    [Fact]
    public async Task A_listener_that_cannot_bind_rolls_the_reload_back()
    {
        await ApplyAsync(A);
        var before = _listeners.Find("a")!;
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        using var free = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        free.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)free.LocalEndPoint!).Port;
        free.Dispose();

        var document = await ApplyAsync(
            $"[listener.a]\naddress = \"tcp://127.0.0.1:{port}\"\n[listener.b]\naddress = \"tcp://{taken.LocalEndPoint}\"\n");
        Assert.Equal((false, "b", "same-address"), (document.Applied, Assert.Single(document.Failures).Name, document.Failures[0].Cause));
        Assert.Same(before, Assert.Single(_listeners.Handles));
        Assert.NotNull(before.Descriptor);
        Assert.False(_reloader.IsUnderWay);
        Assert.Equal(0, Assert.Single(_config.Current.Listeners).Address.Port is var configured ? (int)configured : -1);
        Assert.Contains(MessageIds.ReloadRefused, _log.Kinds);

        // The port that was bound in vain is free again.
        using var again = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        again.Bind(new IPEndPoint(IPAddress.Loopback, port));
    }

    [Fact]
    public async Task The_previous_socket_is_closed_when_no_service_uses_it()
    {
        await ApplyAsync(A);
        var former = _listeners.Find("a")!;
        await ApplyAsync(A + "listen = { non_blocking = true }\n");
        var now = _listeners.Find("a")!;
        Assert.NotSame(former, now);
        Assert.Equal(former.Spec.Address, now.Spec.Address);
        Assert.Null(former.Descriptor);
        Assert.NotNull(now.Descriptor);
        Assert.False(_reloader.IsUnderWay);
        Assert.Contains(MessageIds.ListenerRetired, _log.Kinds);
    }

    [Fact]
    public async Task A_setting_of_the_live_socket_keeps_the_handle()
    {
        await ApplyAsync(A);
        var before = _listeners.Find("a")!;
        var document = await ApplyAsync(A + "listen = { backlog = 7 }\n");
        Assert.Equal(("in-place", "listen.backlog"), (document.Actions[0].Action, Assert.Single(document.Actions[0].Settings)));
        Assert.Same(before, _listeners.Find("a"));
        Assert.Equal(7, before.Spec.Listen.Backlog);
    }

    [Fact]
    public async Task A_listener_without_its_configuration_is_closed()
    {
        await ApplyAsync(A + A.Replace("listener.a", "listener.b", StringComparison.Ordinal));
        var removed = _listeners.Find("b")!;
        await ApplyAsync(A);
        Assert.Null(removed.Descriptor);
        Assert.Null(_listeners.Find("b"));
    }

    [Fact]
    public async Task A_dry_run_changes_nothing()
    {
        var document = await ApplyAsync(A, dryRun: true);
        Assert.Equal((true, false, "added"), (document.DryRun, document.Applied, document.Actions.Single().Action));
        Assert.Empty(_listeners.Handles);
        Assert.Empty(_log.Kinds);
    }

    [Fact]
    public async Task A_dry_run_is_not_refused_for_an_unchanged_listener_without_a_socket()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var text = $"[listener.a]\naddress = \"tcp://{taken.LocalEndPoint}\"\n";
        var refused = await ApplyAsync(text, dryRun: true);
        Assert.NotNull(refused.Title);

        await _thread.Do(() => _listeners.Add(_factory.Create(Load(text).Config!.Listeners[0])));
        var dry = await ApplyAsync(text, dryRun: true);
        var applied = await ApplyAsync(text);

        Assert.Equal((null, "retried", 0), (dry.Title, dry.Actions.Single().Action, dry.Failures.Count));
        Assert.Contains("still has no socket", Assert.Single(dry.Warnings!), StringComparison.Ordinal);
        Assert.Equal((false, false), (dry.Complete, applied.Complete));
        Assert.True(applied.Applied);
        Assert.Contains("still has no socket", Assert.Single(applied.Warnings!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_with_an_error_is_rejected()
    {
        var document = await ApplyAsync("[listener.a]\naddress = \"tcp://127.0.0.1:0\"\nshards = 0\n");
        Assert.Equal((false, "listener.a.shards"), (document.Applied, Assert.Single(document.Errors).Setting));
        Assert.NotNull(document.Title);
    }

    [Fact]
    public async Task No_reload_starts_during_a_shutdown_or_a_succession()
    {
        _lifecycle.Succession = SuccessionPhase.ReExecuting;
        Assert.False((await ApplyAsync(A)).Applied);
        Assert.Empty((await ApplyAsync(A, dryRun: true)).Errors);
        _lifecycle.BeginShutdown();
        Assert.NotEmpty((await ApplyAsync(A, dryRun: true)).Errors);
    }

    public void Dispose()
    {
        _thread.Do(() =>
        {
            _reloader.Close();
            _listeners.Close();
        }).GetAwaiter().GetResult();
        _thread.Dispose();
        _runtime.Dispose();
    }

    private Task<ReloadDocument> ApplyAsync(string text, bool dryRun = false)
    {
        var loaded = Load(text);
        return _thread.Ask(() => _reloader.Apply(loaded, dryRun, by: null));
    }

    private static ConfigResult Load(string text) =>
        RuleSet.For(Profile.Reload).Validate(ConfigParser.Parse([new ConfigSource("listend.toml", text)], new()));
}
