using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Supervisor.Config;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Runtime;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Tests.Runtime;

/// <summary>A whole daemon without services, from its start to its end.</summary>
public sealed class StartTests : IDisposable
{
    private readonly TemporaryRuntime _runtime = new();
    private readonly FakeSystem _system = new();
    private readonly FakeLog _log = new();
    private readonly InstanceLock _lock;

    public StartTests() => _lock = _runtime.Lock();

    [Fact]
    public async Task A_fresh_start_serves_saves_its_state_and_cleans_up()
    {
        var running = RunAsync(() => FreshStart.Run(Request(Listener("web", 0))));
        Assert.Equal("READY=1", await _system.Manager.NextAsync());
        var manifest = StateFile.Read(_runtime.Paths.StateFile).Manifest;
        Assert.NotEqual(0UL, Assert.Single(manifest!.Listeners).Inode);
        Assert.True(File.Exists(_runtime.Paths.ControlSocket));
        Assert.False(_system.AreSignalsUnblocked);
        await _system.SendAsync(PosixSignal.SIGTERM);
        Assert.Equal(0, await running);
        Assert.False(File.Exists(_runtime.Paths.StateFile));
        Assert.False(File.Exists(_runtime.Paths.ControlSocket));
        Assert.Contains(MessageIds.DaemonStopped, _log.Kinds);
    }

    [Fact]
    public async Task A_state_names_each_shard_of_a_listener()
    {
        var running = RunAsync(() => FreshStart.Run(Request(Listener("web", 0) with { Shards = 3 })));
        await _system.Manager.NextAsync();
        Assert.Equal(3, Assert.Single(StateFile.Read(_runtime.Paths.StateFile).Manifest!.Listeners).Shards?.Places?.Length);
        await _system.SendAsync(PosixSignal.SIGTERM);
        Assert.Equal(0, await running);
    }

    [Fact]
    public async Task A_reload_by_signal_is_told_to_systemd_and_a_shutdown_is_too()
    {
        var running = RunAsync(() => FreshStart.Run(Request(Listener("web", 0))));
        Assert.Equal("READY=1", await _system.Manager.NextAsync());
        await _system.SendAsync(PosixSignal.SIGHUP);
        Assert.Equal(["RELOADING=1", "READY=1"], [await _system.Manager.NextAsync(), await _system.Manager.NextAsync()]);
        await _system.SendAsync(PosixSignal.SIGTERM);
        Assert.Equal("STOPPING=1", await _system.Manager.NextAsync());
        Assert.Equal(0, await running);
    }

    [Fact]
    public async Task A_start_with_nothing_to_serve_fails()
    {
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        holder.Listen();
        Assert.Equal(1, await RunAsync(() => FreshStart.Run(Request(Listener("web", (uint)((IPEndPoint)holder.LocalEndPoint!).Port)))));
        Assert.Contains(MessageIds.NothingToServe, _log.Kinds);
        Assert.Empty(_system.Manager.TakeAll());
    }

    [Fact]
    public async Task A_resumed_start_continues_with_the_listeners_sockets()
    {
        var running = RunAsync(() => FreshStart.Run(Request(Listener("web", 0))));
        await _system.Manager.NextAsync();
        var bytes = File.ReadAllBytes(_runtime.Paths.StateFile);
        Assert.True(ManifestFormat.TryRead(bytes, out var manifest, out var unknown, out _));
        var entry = Assert.Single(manifest.Listeners);
        var inode = entry.Inode;

        // As a worker holds it: a duplicate of the socket, which outlives the first daemon.
        var found = new List<OpenFiles.Found>();
        OpenFiles.FindSocketsOf(Environment.ProcessId, new HashSet<ulong> { inode }, found);
        using var descriptors = new IncomingDescriptors();
        descriptors.Add(DescriptorKey.Listener("web"), OpenFiles.Borrow(Environment.ProcessId, found[0].Descriptor)!);
        await _system.SendAsync(PosixSignal.SIGTERM);
        Assert.Equal(0, await running);

        var next = new FakeSystem();
        using var previous = new PreviousDaemonState(SuccessionWay.Recovered, manifest, unknown, descriptors);
        var request = _runtime.Request(previous.Config, _lock, next, _log);
        var resumed = RunAsync(() => ResumedStart.Run(request, previous, null));
        Assert.Equal("READY=1", await next.Manager.NextAsync());
        Assert.True(next.AreSignalsUnblocked);
        Assert.Equal(inode, Assert.Single(StateFile.Read(_runtime.Paths.StateFile).Manifest!.Listeners).Inode);
        Assert.Contains(MessageIds.DaemonRecovered, _log.Kinds);
        await next.SendAsync(PosixSignal.SIGTERM);
        Assert.Equal(0, await resumed);
    }

    public void Dispose()
    {
        _lock.Dispose();
        _runtime.Dispose();
    }

    private static ListenerSpec Listener(string name, uint port) =>
        ListenAddress.TryParse($"tcp://127.0.0.1:{port}", out var address, out _)
            ? new ListenerSpec { Name = name, Address = address }
            : throw new InvalidOperationException();

    private StartRequest Request(params ListenerSpec[] listeners) =>
        _runtime.Request(new ListendConfig { Listeners = [.. listeners] }, _lock, _system, _log);

    /// <summary>On a thread of its own, which is the daemon's loop.</summary>
    private static Task<int> RunAsync(Func<int> run) =>
        Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .WaitAsync(Patience.Deadline);
}
