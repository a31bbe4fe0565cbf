using Serilog.Events;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>A holder's changes to a shared socket are noticed, recorded and repaired. The test is the holder.</summary>
public sealed class DriftTests : KernelTest
{
    private const int SolSocket = 1;
    private const int SoAttachFilter = 26;
    private readonly EventLoop _loop = new(TimeProvider.System);

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("tcp://[::1]:0")]
    [InlineData("unix://@linux-tests-drift")]
    [InlineData("unix-seqpacket://@linux-tests-drift")]
    public void The_backlog_is_restored_after_a_second_listen(string address)
    {
        using var handle = Taken(address, spec => spec with { Listen = new() { Backlog = 200 } }, out var watch);
        Sockets.Listen(handle.Descriptor!, 7);
        watch.Check(handle);

        Assert.Equal(200, AcceptQueue.Read(handle.Descriptor!, handle.Spec.Address.Kind, handle.Inode)?.Limit);
        Assert.Collection(
            Later(handle),
            drift => Assert.Equal(
                (HandlePhase.Drift, "listen", "backlog", 200L, 7L, Verdict.Drifted, Processes.CurrentPid),
                (drift.Phase, drift.Call, drift.Option, drift.Requested?.Number, drift.Effective?.Number, drift.Verdict, drift.Actor?.Pid)),
            repair => Assert.Equal((HandlePhase.Repair, "listen", "backlog", 200L, 200L, Verdict.Exact, "listend"), (repair.Phase, repair
                .Call, repair.Option, repair.Requested?.Number, repair.Effective?.Number, repair.Verdict, repair.Actor?.Name)));
        Assert.Empty(handle.Drift);
    }

    [Fact]
    public void Without_enforce_drift_is_logged_once_and_kept()
    {
        var (log, events) = Given.Log();
        using var handle = Taken(
            "tcp://127.0.0.1:0",
            spec => spec with { Listen = new() { Backlog = 200 }, Enforce = false },
            out var watch,
            log);
        Sockets.Listen(handle.Descriptor!, 7);
        watch.Check(handle);
        watch.Check(handle);

        Assert.Equal(7, AcceptQueue.Read(handle.Descriptor!, ListenerKind.Tcp, handle.Inode)?.Limit);
        Assert.Equal([HandlePhase.Drift], Later(handle).Select(entry => entry.Phase));
        Assert.Equal(["backlog"], handle.Drift.Select(change => change.Name));
        Assert.Single(events, entry => entry.Level == LogEventLevel.Warning);

        Sockets.Listen(handle.Descriptor!, 200);
        watch.Check(handle);
        Assert.Empty(handle.Drift);
    }

    [Fact]
    public void Repeated_drift_is_repaired_each_time_and_logged_once()
    {
        var (log, events) = Given.Log();
        using var handle = Taken("tcp://127.0.0.1:0", spec => spec with { Listen = new() { Backlog = 200 } }, out var watch, log);
        for (var i = 0; i < 100; i++)
        {
            Sockets.Listen(handle.Descriptor!, 7);
            watch.Check(handle);
            Assert.Equal(200, AcceptQueue.Read(handle.Descriptor!, ListenerKind.Tcp, handle.Inode)?.Limit);
        }

        Assert.Equal([HandlePhase.Drift, HandlePhase.Repair], Later(handle).Select(entry => entry.Phase));
        Assert.Single(events, entry => entry.Level == LogEventLevel.Warning);
    }

    [Fact]
    public void Only_requested_options_are_restored()
    {
        using var handle = Taken(
            "tcp://127.0.0.1:0",
            spec => spec with
            {
                Accepted = new()
                {
                    KeepAlive = true,
                    KeepAliveIdle = TimeSpan.FromSeconds(60),
                    Linger = TimeSpan.Zero
                },
                Buffers = new() { Receive = 100_000 }
            },
            out var watch);
        OptionAccess.Set(handle.Descriptor!, SocketOptions.KeepAlive, OptionValue.Of(false));
        OptionAccess.Set(handle.Descriptor!, SocketOptions.KeepAliveIdle, OptionValue.Of(7));
        OptionAccess.Set(handle.Descriptor!, SocketOptions.Linger, OptionValue.Of("off"));
        OptionAccess.Set(handle.Descriptor!, SocketOptions.ReceiveBuffer, OptionValue.Of(50_000));
        OptionAccess.Set(handle.Descriptor!, SocketOptions.NoDelay, OptionValue.Of(true));
        watch.Check(handle);

        Assert.Equal(1, OptionAccess.Get(handle.Descriptor!, SocketOptions.KeepAlive)?.Number);
        Assert.Equal(60, OptionAccess.Get(handle.Descriptor!, SocketOptions.KeepAliveIdle)?.Number);
        Assert.Equal(0, OptionAccess.Get(handle.Descriptor!, SocketOptions.Linger)?.Number);
        Assert.Equal(200_000, OptionAccess.Get(handle.Descriptor!, SocketOptions.ReceiveBuffer)?.Number);
        Assert.Equal(1, OptionAccess.Get(handle.Descriptor!, SocketOptions.NoDelay)?.Number);
        Assert.Equal(["TCP_NODELAY"], handle.Drift.Select(change => change.Name));
        Assert.Contains(
            "accepted.no_delay",
            Later(handle).Single(entry => entry is { Phase: HandlePhase.Drift, Option: "TCP_NODELAY" }).Note,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_open_file_flag_is_recorded_without_drift_and_restored_when_no_process_has_the_socket()
    {
        using var handle = Taken("tcp://127.0.0.1:0", null, out var watch);
        Libc.SetNonBlocking(handle.Descriptor!);
        watch.Check(handle);
        Descriptors.GetFlags(handle.Descriptor!, out var flags);
        Assert.NotEqual(0, flags & 0x800);
        var entry = Assert.Single(Later(handle));
        Assert.Equal(
            (HandlePhase.Verify, "fcntl", "O_NONBLOCK", 0L, 1L, Verdict.Adjusted),
            (entry.Phase, entry.Call, entry.Option, entry.Requested?.Number, entry.Effective?.Number, entry.Verdict));
        Assert.Empty(handle.Drift);

        // This test is a living taker of the socket.
        watch.Prepare([handle]);
        Assert.True(Descriptors.IsNonBlocking(handle.Descriptor!));
        handle.Takers!.Clear();
        watch.Prepare([handle]);
        Assert.False(Descriptors.IsNonBlocking(handle.Descriptor!));
        watch.Check(handle);
        Assert.Equal(["fcntl", "fcntl"], Later(handle).Select(later => later.Call));
    }

    [Fact]
    public unsafe void A_filter_is_taken_off_a_listener()
    {
        using var handle = Taken("tcp://127.0.0.1:0", null, out var watch);

        // BPF_RET | BPF_K, 0xffffffff: accept all packets. struct sock_fprog: length, padding, pointer.
        Span<byte> program = [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
        fixed (byte* instructions = program)
        {
            Span<byte> filter = stackalloc byte[16];
            filter.Clear();
            filter[0] = 1;
            BitConverter.TryWriteBytes(filter[8..], (long)instructions);
            Assert.Null(Sockets.SetBytes(handle.Descriptor!, SolSocket, SoAttachFilter, filter));
        }

        watch.Check(handle);
        Assert.Collection(
            Later(handle),
            drift => Assert.Equal((HandlePhase.Drift, "SO_ATTACH_FILTER", 1L), (drift.Phase, drift.Option, drift.Effective?.Number)),
            repair => Assert.Equal((HandlePhase.Repair, "SO_ATTACH_FILTER", 0L), (repair.Phase, repair.Option, repair.Effective?.Number)));
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:0", true)]
    [InlineData("tcp://@own@:4711", false)]
    [InlineData("tcp://[::]:0", true)]
    [InlineData("unix:///@dir@/web.sock", true)]
    public void A_shut_down_listener_is_recreated_at_its_address(string address, bool reuse)
    {
        using var directory = new TemporaryDirectory();

        // A loopback address for this run only, because an earlier run may have connections in TIME_WAIT.
        var pid = Processes.CurrentPid;
        var own = $"127.88.{pid / 250 % 250}.{(pid % 250) + 1}";
        using var handle = Taken(
            address.Replace("/@dir@", directory.Path, StringComparison.Ordinal).Replace("@own@", own, StringComparison.Ordinal),
            spec => spec with { Bind = new() { ReuseAddress = reuse } },
            out var watch);
        var (effective, inode) = (handle.Effective!, handle.Inode);
        using (var held = Descriptors.Duplicate(handle.Descriptor!, out _))
        {
            Assert.Equal(0, Libc.Shutdown(held!, 0));
            watch.Check(handle);

            Assert.Null(handle.Failure);
            Assert.Equal(effective, handle.Effective);
            using var client = Loopback.Connect(effective.IsWildcard ? Given.Address($"tcp://127.0.0.1:{effective.Port}") : effective);
            using var accepted = Libc.Accept(handle.Descriptor!);
        }

        // If the address cannot be shared with the old socket, which workers hold, the old socket listens again.
        Assert.Equal(reuse, inode != handle.Inode);
        Assert.Contains(Later(handle), entry => entry is { Phase: HandlePhase.Drift, Call: "shutdown" });
        Assert.Equal(HandlePhase.Repair, Later(handle)[^1].Phase);
    }

    [Fact]
    public void A_repeatedly_shut_down_listener_is_finally_given_up()
    {
        using var handle = Taken("tcp://127.0.0.1:0", null, out var watch);
        for (var i = 0; i < 50; i++)
        {
            Libc.Shutdown(handle.Descriptor!, 0);
            watch.Check(handle);
            handle.RecordBaseline();
        }

        Assert.Equal(DriftWatch.RemakeLimit, Later(handle).Count(entry => entry.Phase == HandlePhase.Repair));
        Assert.Equal(["shutdown"], handle.Drift.Select(change => change.Name));
    }

    [Fact]
    public void Mode_and_owner_of_a_socket_file_are_restored()
    {
        using var directory = new TemporaryDirectory();
        using var handle = Taken(
            $"unix://{directory["access.sock"]}", spec => spec with { Unix = new() { Mode = 0x1B0, User = "0", Group = "0" } },
            out var watch);
        var path = handle.Spec.Address.Path!;
        using (var file = Files.Pin(path, out _)!)
        {
            Assert.Null(Files.SetPinnedMode(file, 0x1FF));
            Assert.Null(Files.SetPinnedOwner(file, 65534, 65534));
        }

        watch.Check(handle);
        Assert.Null(Files.GetStatus(path, out var status));
        Assert.Equal((0x1B0, 0u, 0u), (status.Permissions, status.Uid, status.Gid));
        Assert.Equal(
            [
                (HandlePhase.Drift, "owner", "65534:65534", Verdict.Drifted), (HandlePhase.Repair, "owner", "0:0", Verdict.Exact),
                (HandlePhase.Drift, "mode", "0777", Verdict.Drifted), (HandlePhase.Repair, "mode", "0660", Verdict.Exact),
            ],
            Later(handle).Select(entry => (entry.Phase, entry.Option, entry.Effective?.ToString(), entry.Verdict)));
        Assert.Empty(handle.Drift);
        watch.Check(handle);
        Assert.Equal(4, Later(handle).Count);
    }

    [Fact]
    public void Without_enforce_a_changed_mode_is_kept_until_a_reload_asks()
    {
        using var directory = new TemporaryDirectory();
        using var handle = Taken(
            $"unix://{directory["kept.sock"]}", spec => spec with { Unix = new() { Mode = 0x1B0 }, Enforce = false }, out var watch);
        using var file = Files.Pin(handle.Spec.Address.Path!, out _)!;
        Assert.Null(Files.SetPinnedMode(file, 0x180));
        watch.Check(handle);
        watch.Check(handle);
        Assert.Equal(["mode"], handle.Drift.Select(change => change.Name));
        Assert.Equal([HandlePhase.Drift], Later(handle).Select(entry => entry.Phase));
        Assert.Equal($"the mode of {handle.Spec.Address.Path} is 0600, not 0660", watch.FileFinding(handle));

        watch.CheckFile(handle, isAsked: true);
        Assert.Empty(handle.Drift);
        Assert.Null(watch.FileFinding(handle));
    }

    [Fact]
    public void A_mode_that_is_not_configured_is_not_compared()
    {
        using var directory = new TemporaryDirectory();
        using var handle = Taken($"unix://{directory["any.sock"]}", null, out var watch);
        using var file = Files.Pin(handle.Spec.Address.Path!, out _)!;
        Assert.Null(Files.SetPinnedMode(file, 0x1FF));
        watch.Check(handle);
        Assert.Empty(Later(handle));
    }

    public override void Dispose()
    {
        _loop.Dispose();
        base.Dispose();
    }

    /// <summary>A listener that this process has taken as a client of the broker.</summary>
    private ListenerHandle Taken(
        string address,
        Func<ListenerSpec, ListenerSpec>? configure,
        out DriftWatch watch,
        Serilog.ILogger? log = null)
    {
        var factory = Given.Factory(log);
        var handle = factory.Create(Given.Spec(address, configure));
        Assert.True(handle.Failure is null, handle.Failure?.ToString());
        watch = new DriftWatch(_loop, factory);
        SocketTakers.Record(handle);
        handle.RecordBaseline();
        handle.History.Add(HandlePhase.Handoff, "sendmsg", actor: new HistoryActor(Processes.CurrentPid, "taker"));
        return handle;
    }

    private static IReadOnlyList<HistoryEntry> Later(ListenerHandle handle) =>
        [.. handle.History.Entries.SkipWhile(entry => entry.Phase != HandlePhase.Handoff).Skip(1)];
}
