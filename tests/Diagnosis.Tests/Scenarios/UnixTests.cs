using System.Net.Sockets;

namespace Supervisor.Diagnosis.Tests.Scenarios;

/// <summary>UNIX paths and abstract names. No file is ever made by asking.</summary>
public sealed class UnixTests
{
    [Fact]
    public void A_live_listener_at_the_path_is_explained() => Stage.Run(stage =>
    {
        var path = Path.Combine(stage.Directory, "live");
        using var listener = Unix(SocketType.Stream, path);
        listener.Listen();
        var owner = Assert.Single(Explained.AsRoot($"unix://{path}").Refused("EADDRINUSE", "unix-path-in-use", retry: false).Owners);
        Assert.Equal((Environment.ProcessId, $"unix://{path}", "listen"), (owner.Pid, owner.Address, owner.State));
        Assert.Null(Assert.Single(Explained.AsNobody($"unix://{path}").Refused("EADDRINUSE", "unix-path-in-use", retry: false).Owners).Pid);

        // A socket of another type holds the path all the same, and nobody was connected to by asking.
        Explained.AsRoot($"unix-dgram://{path}").Refused("EADDRINUSE", "unix-path-in-use", retry: false);
        listener.Blocking = false;
        Assert.Equal(SocketError.WouldBlock, Assert.Throws<SocketException>(() => listener.Accept()).SocketErrorCode);
    });

    [Fact]
    public void A_stale_socket_at_the_path_is_explained() => Stage.Run(stage =>
    {
        var path = Path.Combine(stage.Directory, "stale");
        Unix(SocketType.Stream, path).SafeHandle.Dispose();
        Assert.True(File.Exists(path));
        Assert.Empty(Explained.AsRoot($"unix://{path}").Refused("EADDRINUSE", "stale-unix-path", retry: false).Owners);
        Explained.AsRoot($"unix-seqpacket://{path}").Refused("EADDRINUSE", "stale-unix-path", retry: false);
        Assert.True(File.Exists(path));
    });

    [Fact]
    public void A_bound_socket_that_does_not_listen_is_explained() => Stage.Run(stage =>
    {
        var path = Path.Combine(stage.Directory, "bound");
        using var socket = Unix(SocketType.Stream, path);
        var owner = Assert.Single(Explained.AsRoot($"unix://{path}").Refused("EADDRINUSE", "bound-not-listening", retry: false).Owners);
        Assert.Equal(Environment.ProcessId, owner.Pid);
    });

    [Fact]
    public void A_datagram_socket_is_live_without_listening() => Stage.Run(stage =>
    {
        var path = Path.Combine(stage.Directory, "datagrams");
        using var socket = Unix(SocketType.Dgram, path);
        Explained.AsRoot($"unix-dgram://{path}").Refused("EADDRINUSE", "unix-path-in-use", retry: false);
    });

    [Fact]
    public void A_connect_probe_finds_a_listener_of_another_namespace() => Stage.Run(stage =>
    {
        var path = Path.Combine(stage.Directory, "elsewhere");
        using var listener = Unix(SocketType.Stream, path);
        listener.Listen();
        OnThread.Run(() =>
        {
            Kernel.EnterOwnNamespace();
            var document = Explained.AsRoot($"unix://{path}").Refused("EADDRINUSE", "unix-path-in-use", retry: false);
            Assert.Empty(document.Owners);
            Assert.Contains($"another network namespace listens on {path}", document.Verdict, StringComparison.Ordinal);
        });
    });

    [Fact]
    public void Another_file_type_at_the_path_is_explained() => Stage.Run(stage =>
    {
        var path = Path.Combine(stage.Directory, "file");
        File.WriteAllText(path, "");
        var document = Explained.AsRoot($"unix://{path}").Refused("EADDRINUSE", "not-a-socket", retry: false);
        Assert.Contains("a regular file", document.Verdict, StringComparison.Ordinal);
        Explained.AsNobody($"unix://{stage.Directory}").Refused("EADDRINUSE", "not-a-socket", retry: false);
    });

    [Fact]
    public void A_missing_or_forbidden_directory_is_explained() => Stage.Run(stage =>
    {
        Explained.AsRoot($"unix://{stage.Directory}/no/such").Refused("ENOENT", "directory-absent", retry: false);
        Explained.AsNobody($"unix://{stage.Directory}/socket").Refused("EACCES", "path-permission", retry: false);
        var inner = Directory.CreateDirectory(
            Path.Combine(stage.Directory, "closed"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        Explained.AsNobody($"unix://{inner}/socket").Refused("EACCES", "path-permission", retry: false);
        Explained.AsRoot($"unix://{inner}/socket").Granted();
        Assert.Empty(Directory.GetFileSystemEntries(inner));
    });

    [Fact]
    public void A_path_that_is_too_long_is_explained() => Stage.Run(_ =>
    {
        Explained.AsRoot("unix:///run/" + new string('x', 195)).Refused("ENAMETOOLONG", "path-too-long", retry: false);
        Explained.AsNobody("unix://@" + new string('x', 195)).Refused("ENAMETOOLONG", "path-too-long", retry: false);
    });

    [Fact]
    public void An_abstract_name_in_use_is_explained() => Stage.Run(stage =>
    {
        _ = stage;
        using var listener = Unix(SocketType.Stream, "\0diagnosis");
        var asked = "unix://@diagnosis";
        Explained.AsRoot(asked).Refused("EADDRINUSE", "bound-not-listening", retry: false);
        listener.Listen();
        var owner = Assert.Single(Explained.AsRoot(asked).Refused("EADDRINUSE", "same-address", retry: false).Owners);
        Assert.Equal((Environment.ProcessId, asked, "listen"), (owner.Pid, owner.Address, owner.State));
        Explained.AsNobody(asked).Refused("EADDRINUSE", "same-address", retry: false);
        Explained.AsRoot("unix-seqpacket://@diagnosis").Granted();
        Explained.AsRoot("unix://@other").Granted();
    });

    /// <summary>Bound without the runtime's habit of removing the file at the end.</summary>
    private static Socket Unix(SocketType type, string path)
    {
        var socket = new Socket(AddressFamily.Unix, type, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        return socket;
    }
}
