using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>The socket file: its mode and owner, what is removed, and above all what is not.</summary>
public class UnixPathTests : KernelTest
{
    private readonly TemporaryDirectory _directory = new();

    private string Address => $"unix://{_directory["s"]}";

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Theory]
    [InlineData(0x1B0, 0)]
    [InlineData(0x1B0, 0x3F)]
    [InlineData(0x1FF, 0x3F)]
    [InlineData(0x1FF, 0x1FF)]
    [InlineData(0x180, 0x12)]
    [InlineData(0, 0)]
    public void The_mode_is_as_requested_under_any_umask(int mode, int umask)
    {
        using var mask = new Umask(umask);
        using var handle = Given.Listener(Address, spec => spec with { Unix = new() { Mode = mode } });
        Assert.Equal(mode, PermissionsOf("s"));
    }

    /// <summary>Right after bind(), before any chmod, the file has no unwanted mode bit, even with umask 0.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0x3F)]
    public void The_socket_file_is_never_wider_than_its_mode(int umask)
    {
        using var mask = new Umask(umask);
        foreach (var kind in new[] { (1, 1), (1, 2), (1, 5) })
        {
            using var socket = Loopback.Socket(kind.Item1, kind.Item2);
            Assert.Null(Files.SetMode(socket, 0x1A0));
            Assert.Null(Sockets.Bind(socket, Sockaddr.Encode(Given.Address($"unix://{_directory["b" + kind.Item2]}"))));
            Assert.Equal(0x1A0 & ~umask, PermissionsOf("b" + kind.Item2));
        }

        using var handle = Given.Listener(Address, spec => spec with { Unix = new() { Mode = 0x1A0 } });
        var order = handle.History.Entries.Select(entry => entry.Call).ToList();
        Assert.True(order.IndexOf("fchmod") >= 0 && order.IndexOf("fchmod") < order.IndexOf("bind"));
        Assert.Equal(umask != 0, order.Contains("chmod"));
    }

    [Fact]
    public void Without_a_mode_the_umask_applies()
    {
        using var mask = new Umask(0x12);
        using var handle = Given.Listener(Address);
        Assert.Equal(0x1ED, PermissionsOf("s"));
    }

    [Theory]
    [InlineData("65534", null, 65534u, 0u)]
    [InlineData(null, "65534", 0u, 65534u)]
    [InlineData("nobody", "nogroup", 65534u, 65534u)]
    public void The_socket_file_has_the_requested_owner(string? user, string? group, uint uid, uint gid)
    {
        using var handle = Given.Listener(Address, spec => spec with { Unix = new() { Mode = 0x1B0, User = user, Group = group } });
        Assert.Null(Files.GetStatus(_directory["s"], out var status));
        Assert.Equal((uid, gid, 0x1B0), (status.Uid, status.Gid, status.Permissions));
        Assert.Contains(handle.History.Entries, entry => entry is { Call: "fchownat", Option: "owner", Verdict: Verdict.Exact });
    }

    [Theory]
    [InlineData("no-such-user", null)]
    [InlineData(null, "no-such-group")]
    [InlineData("4294967295", null)]
    public void An_unknown_owner_fails_the_listener_and_leaves_no_file(string? user, string? group)
    {
        using var handle = Given.Attempt(Address, spec => spec with { Unix = new() { User = user, Group = group } });
        Assert.NotNull(handle.Failure);
        Assert.Null(handle.Descriptor);
        Assert.Empty(_directory.Files);
        Assert.Contains(handle.History.Entries, entry => entry is { Call: "unlinkat", Phase: HandlePhase.Close });
        Assert.Contains(user ?? group!, handle.Diagnosis!.Verdict, StringComparison.Ordinal);

        // The path is free. That does not help the listener.
        var before = handle.Diagnosis;
        Given.Factory().ExplainAgain(handle);
        Assert.Same(before, handle.Diagnosis);
    }

    [Fact]
    public void A_refused_owner_does_not_fail_the_listener()
    {
        File.SetUnixFileMode(_directory.Path, (UnixFileMode)0x1FF);
        KernelThread.AsNobody(() =>
        {
            using var handle = Given.Listener(Address, spec => spec with { Unix = new() { Mode = 0x1B0, User = "root" } });
            Assert.Contains(handle.History.Entries, entry => entry is { Call: "fchownat", Errno: "EPERM", Verdict: Verdict.Refused });
            Assert.Equal(0x1B0, PermissionsOf("s"));
        });
    }

    /// <summary>A user who may write to the directory swaps the socket for a link to another user's file at the worst moment.</summary>
    [Theory]
    [InlineData("bind")]
    [InlineData("fchownat")]
    public void A_link_at_the_socket_path_does_not_change_another_file(string after)
    {
        File.WriteAllText(_directory["secret"], "");
        File.SetUnixFileMode(_directory["secret"], (UnixFileMode)0x180);
        using var mask = new Umask(0x3F);
        var (log, _) = Given.Log(entry =>
        {
            if (entry.Field("LISTEND_CALL") == after)
            {
                File.Delete(_directory["s"]);
                File.CreateSymbolicLink(_directory["s"], _directory["secret"]);
            }
        });
        using var handle = Given.Factory(log).Create(Given.Spec(Address, spec => spec with
        {
            Unix = new() { Mode = 0x1B6, User = "nobody" },
        }));
        Assert.Null(handle.Failure);
        Assert.Contains(handle.History.Entries, entry => entry is { Call: "chmod", Verdict: Verdict.Refused, Errno: "ESTALE" });
        Assert.Null(Files.GetStatus(_directory["secret"], out var secret));
        Assert.Equal((0x180, 0u, 0u), (secret.Permissions, secret.Uid, secret.Gid));
    }

    [Theory]
    [InlineData("unix")]
    [InlineData("unix-dgram")]
    [InlineData("unix-seqpacket")]
    public void A_stale_socket_is_removed(string scheme)
    {
        MakeStale(scheme);
        using var handle = Given.Listener($"{scheme}://{_directory["s"]}", Removing);
        Assert.Equal(
            [("bind", "EADDRINUSE"), ("unlinkat", null), ("bind", null)],
            handle.History.Entries.Where(entry => entry.Phase == HandlePhase.Bind).Select(entry => (entry.Call, entry.Errno)));
        Assert.Equal(["s"], _directory.Files);
    }

    /// <summary>The stale file of a stream listener is also stale for a datagram listener.</summary>
    [Fact]
    public void A_stale_socket_of_another_type_is_removed()
    {
        MakeStale("unix");
        using var handle = Given.Listener($"unix-dgram://{_directory["s"]}", Removing);
    }

    [Fact]
    public void A_stale_socket_with_the_longest_path_is_removed()
    {
        var name = new string('x', ListenAddress.MaxUnixPathBytes - _directory.Path.Length - 1);
        using (Loopback.Bound($"unix://{_directory[name]}", 1))
        {
        }

        using var handle = Given.Listener($"unix://{_directory[name]}", Removing);
        Assert.Equal([name], _directory.Files);
    }

    [Fact]
    public void Nothing_is_removed_unless_requested()
    {
        MakeStale("unix");
        using var handle = Given.Attempt(Address);
        Assert.Equal("EADDRINUSE", handle.Failure!.Name);
        Assert.Equal(["s"], _directory.Files);
    }

    [Theory]
    [InlineData("unix", "unix")]
    [InlineData("unix", "unix-dgram")]
    [InlineData("unix-dgram", "unix")]
    [InlineData("unix-dgram", "unix-dgram")]
    [InlineData("unix-seqpacket", "unix")]
    public void A_live_socket_is_kept(string live, string ours)
    {
        var address = Given.Address($"{live}://{_directory["s"]}");
        using var holder = Loopback.Bound(address.ToString(), address.Kind.Listens() ? 1 : null);
        AssertKept(Given.Attempt($"{ours}://{_directory["s"]}", Removing));
        using var client = Loopback.Connect(address);
    }

    [Fact]
    public void A_live_listener_with_a_full_queue_is_kept()
    {
        using var holder = Loopback.Bound(Address, 0);
        using var first = Loopback.Connect(Given.Address(Address));
        AssertKept(Given.Attempt(Address, Removing));
    }

    [Fact]
    public void A_bound_socket_that_does_not_listen_yet_is_kept()
    {
        using var holder = Loopback.Bound(Address);
        AssertKept(Given.Attempt(Address, Removing));
        Assert.Null(Sockets.Listen(holder, 1));
        using var client = Loopback.Connect(Given.Address(Address));
    }

    /// <summary>The kernel reports the path as given to bind(), which may use another name: /var/run and /run.</summary>
    [Fact]
    public void A_bound_socket_is_found_under_another_directory_name()
    {
        Directory.CreateDirectory(_directory["run"]);
        File.CreateSymbolicLink(_directory["var-run"], _directory["run"]);
        using var holder = Loopback.Bound($"unix://{_directory["var-run"]}/s");
        using var handle = Given.Attempt($"unix://{_directory["run"]}/s", Removing);
        Assert.Equal("EADDRINUSE", handle.Failure!.Name);
        Assert.True(File.Exists(_directory["run"] + "/s"));
    }

    [Theory]
    [InlineData("file")]
    [InlineData("directory")]
    [InlineData("link to a stale socket")]
    [InlineData("link to nothing")]
    public void A_file_that_is_not_a_socket_is_kept(string what)
    {
        switch (what)
        {
            case "file":
                File.WriteAllText(_directory["s"], "");
                break;
            case "directory":
                Directory.CreateDirectory(_directory["s"]);
                break;
            case "link to a stale socket":
                using (Loopback.Bound($"unix://{_directory["t"]}", 1))
                {
                }

                File.CreateSymbolicLink(_directory["s"], _directory["t"]);
                break;
            default:
                File.CreateSymbolicLink(_directory["s"], _directory["t"]);
                break;
        }

        var before = _directory.Files.ToList();
        using var handle = Given.Attempt(Address, Removing);
        Assert.Equal("EADDRINUSE", handle.Failure!.Name);
        Assert.Equal(before, _directory.Files);
    }

    /// <summary>
    /// Between the check and the removal another daemon has removed the stale file and listens there. Its file may even have
    /// the same inode number.
    /// </summary>
    [Fact]
    public void A_socket_that_appears_before_the_removal_is_kept()
    {
        MakeStale("unix");
        using var seen = Files.Pin(_directory["s"], out _)!;
        Assert.True(StaleSocket.IsStale(seen, _directory["s"], ListenerKind.UnixStream, out _));
        File.Delete(_directory["s"]);
        using var rival = Loopback.Bound(Address, 1);
        using var place = SocketPlace.Open(_directory["s"], out _, out _)!;
        Assert.False(StaleSocket.Remove(seen, place, out var why));
        Assert.Contains("another process", why, StringComparison.Ordinal);
        Assert.Equal(["s"], _directory.Files);
        using var client = Loopback.Connect(Given.Address(Address));
    }

    [Fact]
    public void A_stale_socket_that_disappears_is_reported_as_ENOENT()
    {
        MakeStale("unix");
        using var seen = Files.Pin(_directory["s"], out _)!;
        File.Delete(_directory["s"]);
        using var place = SocketPlace.Open(_directory["s"], out _, out _)!;
        Assert.False(StaleSocket.Remove(seen, place, out var why));
        Assert.Contains("ENOENT", why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_socket_without_write_permission_is_kept()
    {
        File.SetUnixFileMode(_directory.Path, (UnixFileMode)0x1FF);
        using var mask = new Umask(0x3F);
        using var holder = Loopback.Bound(Address, 1);
        KernelThread.AsNobody(() => AssertKept(Given.Attempt(Address, Removing)));
    }

    [Fact]
    public void Close_removes_only_the_path_that_it_created()
    {
        var factory = Given.Factory();
        using var kept = factory.Create(Given.Spec(Address));
        factory.Close(kept, removePath: false);
        Assert.Equal(["s"], _directory.Files);

        File.Delete(_directory["s"]);
        using var ours = factory.Create(Given.Spec(Address));
        File.Delete(_directory["s"]);
        using var rival = Loopback.Bound(Address, 1);
        factory.Close(ours, removePath: true);
        Assert.Equal(["s"], _directory.Files);
        using var client = Loopback.Connect(Given.Address(Address));
    }

    [Fact]
    public void A_failed_listener_does_not_remove_a_path_of_another()
    {
        using var holder = Loopback.Bound(Address, 1);
        var factory = Given.Factory();
        using var handle = factory.Create(Given.Spec(Address));
        factory.Close(handle, removePath: true);
        Assert.Equal(["s"], _directory.Files);
    }

    private static ListenerSpec Removing(ListenerSpec spec) => spec with { Unix = new() { RemoveStale = true } };

    private void AssertKept(ListenerHandle handle)
    {
        using (handle)
        {
            Assert.Equal("EADDRINUSE", handle.Failure!.Name);
            Assert.Equal(["s"], _directory.Files);
        }
    }

    private void MakeStale(string scheme)
    {
        var address = Given.Address($"{scheme}://{_directory["s"]}");
        using var socket = Loopback.Bound(address.ToString(), address.Kind.Listens() ? 1 : null);
    }

    private int PermissionsOf(string name)
    {
        Assert.Null(Files.GetStatus(_directory[name], out var status));
        return status.Permissions;
    }
}
