using System.Net;
using System.Net.Sockets;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Tests.Continuity;

/// <summary>What a daemon finds that starts where another one has died.</summary>
public sealed class CrashRecoveryTests : IDisposable
{
    private readonly TemporaryRuntime _runtime = new();
    private readonly FakeLog _log = new();
    private readonly InstanceLock _lock;

    public CrashRecoveryTests() => _lock = _runtime.Lock();

    [Fact]
    public void Recovery_needs_a_state()
    {
        Assert.Null(Recover());
        Assert.Empty(_log.Kinds);
    }

    [Fact]
    public void A_state_of_this_boot_is_recovered()
    {
        _runtime.Leave(ManifestFormat.Write(_runtime.Manifest with { Upgrades = 3 }));
        using var state = Recover();
        Assert.Equal(SuccessionWay.Recovered, state!.Way);
        Assert.Equal(3, state.Upgrades);
        Assert.Equal("daemon-recovered", state.EventKind);
        Assert.False(state.IsSameProcess);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void What_the_keeper_holds_is_believed_only_from_the_daemon_that_wrote_it(int laterUpgrades, bool isBelieved)
    {
        var descriptors = new IncomingDescriptors();
        descriptors.Add(DescriptorKey.Listener("web"), new DescriptorHandle(-1));
        var manifest = _runtime.Manifest with { Upgrades = 3 + laterUpgrades };
        manifest = manifest with { Held = new HeldEntry(manifest.Pid, 3, [DescriptorKey.Listener("web")]) };
        Assert.True(ManifestFormat.TryRead(ManifestFormat.Write(manifest), out var read, out var unknown, out _));
        using var state = new PreviousDaemonState(SuccessionWay.ReExecuted, read, unknown, descriptors);
        Assert.Equal(isBelieved, state.Held[DescriptorKey.Listener("web")] is not null);
    }

    [Fact]
    public void A_state_of_another_boot_is_not_recovered()
    {
        _runtime.Leave(ManifestFormat.Write(_runtime.Manifest with { BootId = "another" }));
        Assert.Null(Recover());
    }

    [Fact]
    public void A_truncated_state_is_logged_and_not_used()
    {
        var whole = ManifestFormat.Write(_runtime.Manifest);
        foreach (var length in new[] { 0, 1, whole.Length / 2, whole.Length - 1 })
        {
            _runtime.Leave(whole[..length]);
            Assert.Null(Recover());
        }

        Assert.All(_log.Kinds, kind => Assert.Equal(MessageIds.StateUnusable, kind));
        Assert.NotEmpty(_log.Kinds);
    }

    [Fact]
    public void A_newer_state_is_used_if_its_version_allows_it()
    {
        _runtime.Leave(ManifestFormat.Write(_runtime.Manifest with { Format = 1000, LeastReader = ManifestFormat.Current }));
        using var state = Recover();
        Assert.NotNull(state);
        _runtime.Leave(ManifestFormat.Write(_runtime.Manifest with { Format = 1000, LeastReader = 1000 }));
        Assert.Null(Recover());
        Assert.Contains(MessageIds.StateUnusable, _log.Kinds);
    }

    [Fact]
    public void A_state_that_another_user_can_write_prevents_the_start()
    {
        _runtime.Leave(ManifestFormat.Write(_runtime.Manifest));
        File.SetUnixFileMode(
            _runtime.Paths.StateFile,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite);
        Assert.Null(CrashRecovery.Recover(_runtime.Paths, null, _log.Log, out var refusal));
        Assert.NotNull(refusal);
    }

    [Fact]
    public void Recovery_without_a_file_uses_the_systemd_store()
    {
        using var memory = Succession.SealedMemory("state", stream => stream.Write(ManifestFormat.Write(_runtime.Manifest)), out var error);
        Assert.Null(error);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var stored = IncomingDescriptors.FromNumbers(
            [new(DescriptorKey.State, Duplicate(memory!)), new(DescriptorKey.Listener("web"), Duplicate((int)listener.Handle))]);
        using var state = CrashRecovery.Recover(_runtime.Paths, stored, _log.Log, out _);
        Assert.Equal("execve", state!.Call);
        Assert.Equal([DescriptorKey.Listener("web")], state.Held.Keys);
    }

    public void Dispose()
    {
        _lock.Dispose();
        _runtime.Dispose();
    }

    private PreviousDaemonState? Recover()
    {
        var state = CrashRecovery.Recover(_runtime.Paths, null, _log.Log, out var refusal);
        Assert.Null(refusal);
        return state;
    }

    private static int Duplicate(DescriptorHandle descriptor) => Duplicate(descriptor.Number);

    private static int Duplicate(int number)
    {
        var copy = OpenFiles.Borrow(Environment.ProcessId, number)!;
        var result = copy.Number;
        copy.SetHandleAsInvalid();
        return result;
    }
}
