using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Tmds.Linux;
using Xunit;

namespace Supervisor.EndToEnd.Faults;

/// <summary>
/// What surrounds the daemon of <see cref="RandomFaultTests"/> and can be taken away: a network namespace with the interface d0,
/// whose other end is in a namespace of the clients, a delegated cgroup where cgroups are writable, the folder of a UNIX socket,
/// and the symbolic link of a release.
/// </summary>
internal sealed class FaultHost : IAsyncDisposable
{
    /// <summary>The listeners of <see cref="Config"/>.</summary>
    public static readonly IReadOnlyList<string> Listeners = ["web", "device", "file"];

    /// <summary>Three listeners. The clients reach "device" only through d0.</summary>
    public const string Config = """
        [listener.web]
        address = "tcp://127.0.0.1:8080"
        listen = { non_blocking = true }

        [listener.device]
        address = "tcp://0.0.0.0:8081"
        bind = { device = "d0" }
        listen = { non_blocking = true }

        [listener.file]
        address = "unix://@dir@/sockets/file"
        listen = { non_blocking = true }

        """;

    private readonly TemporaryDirectory _directory;
    private readonly string _daemons;
    private readonly string _clients;
    private string? _cgroup;

    // The directory's name is unique also if a test that was killed has left its namespaces.
    private FaultHost(TemporaryDirectory directory)
    {
        _directory = directory;
        var name = Path.GetFileName(directory.Path.TrimEnd('/'));
        (_daemons, _clients) = ($"{name}-daemon", $"{name}-clients");
    }

    /// <summary>Whether the workers have cgroups.</summary>
    public bool HasCgroups => _cgroup is not null;

    /// <summary>A small tmpfs with the runtime directory.</summary>
    public string Disk => _directory["disk"];

    /// <summary>The file of the listener "file".</summary>
    public string SocketFile => _directory["sockets/file"];

    /// <summary>Enters the cgroup and the namespace, and executes the daemon.</summary>
    public IReadOnlyList<string> Wrapper =>
    [
        .. _cgroup is null ? [] : (string[])["/bin/sh", "-c", "echo 0 > \"$0/cgroup.procs\" && exec \"$@\"", _cgroup],
        Needs.Program("nsenter", "util-linux"), $"--net={Place(_daemons)}",
    ];

    /// <summary>Makes everything, with workers/quick.c as the release "good" and a program that exits as the release "bad".</summary>
    public static async Task<FaultHost> MakeAsync(TemporaryDirectory directory)
    {
        var host = new FaultHost(directory);
        try
        {
            await host.MakeAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Moves the symbolic link in the service's command.</summary>
    public Task LinkAsync(string release) => RunAsync("ln", "-sfn", release, _directory["current"]);

    /// <summary>Makes d0.</summary>
    public async Task MakeInterfaceAsync()
    {
        await RunAsync(Ip, "link", "add", "d0", "netns", _daemons, "type", "veth", "peer", "name", "d1", "netns", _clients);
        await RunAsync(Ip, "-n", _daemons, "-batch", _directory.Write("d0", "address add 192.0.2.7/24 dev d0\nlink set d0 up\n"));
        await RunAsync(Ip, "-n", _clients, "-batch", _directory.Write("d1", "address add 192.0.2.8/24 dev d1\nlink set d1 up\n"));
    }

    /// <summary>Deletes d0.</summary>
    public Task DeleteInterfaceAsync() => RunAsync(Ip, "-n", _daemons, "link", "delete", "d0");

    /// <summary>Sends a request to a listener, which must be answered.</summary>
    public async Task RequestAsync(string listener)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        var (space, family, at) = listener switch
        {
            "web" => (_daemons, AddressFamily.InterNetwork, (EndPoint)new IPEndPoint(IPAddress.Loopback, 8080)),
            "device" => (_clients, AddressFamily.InterNetwork, IPEndPoint.Parse("192.0.2.7:8081")),
            _ => (_daemons, AddressFamily.Unix, new UnixDomainSocketEndPoint(SocketFile)),
        };
        using var client = SocketIn(space, family);
        await client.ConnectAsync(at, limit.Token);
        await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), limit.Token);
        using var reader = new StreamReader(new NetworkStream(client), Encoding.ASCII);
        Assert.Equal("HTTP/1.1 200 OK", await reader.ReadLineAsync(limit.Token));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await RunningProgram.RunAsync("umount", ["--lazy", Disk]);
        foreach (var space in (string[])[_daemons, _clients])
        {
            await RunningProgram.RunAsync(Ip, ["netns", "delete", space]);
        }

        if (_cgroup is not null)
        {
            foreach (var left in Directory.GetDirectories(_cgroup).Append(_cgroup))
            {
                Directory.Delete(left);
            }
        }
    }

    private async Task MakeAsync()
    {
        foreach (var folder in (string[])["disk", "sockets", "good", "bad"])
        {
            Directory.CreateDirectory(_directory[folder]);
        }

        await RunAsync("mount", "-t", "tmpfs", "-o", "size=4m", "listend-test", Disk);
        QuickWorker.Compile(_directory);
        File.Move(_directory["quick"], _directory["good/quick"]);
        _directory.WriteScript("bad/quick", "#!/bin/sh\nexit 3\n");
        await LinkAsync("good");

        foreach (var space in (string[])[_daemons, _clients])
        {
            await RunAsync(Ip, "netns", "add", space);
            await RunAsync(Ip, "-n", space, "link", "set", "lo", "up");
        }

        await MakeInterfaceAsync();
        await RunAsync(
            Needs.Program("python3", "python3"), _directory.Write("delegate.py", CgroupTests.Delegate), _directory["cgroup"], "/bin/true");
        var made = await File.ReadAllTextAsync(_directory["cgroup"]);
        _cgroup = made.StartsWith('/') ? made : null;
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var result = await RunningProgram.RunAsync(program, arguments);
        Assert.True(result.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {result.Error}");
    }

    private static string Ip => Needs.Program("ip", "iproute2");

    private static string Place(string space) => "/run/netns/" + space;

    // setns(2) changes the namespace of one thread; a socket stays in the namespace in which it was made.
    private static Socket SocketIn(string space, AddressFamily family)
    {
        Socket? socket = null;
        var error = 0;
        var thread = new Thread(() =>
        {
            using var place = File.OpenHandle(Place(space));
            error = LibC.setns((int)place.DangerousGetHandle(), LibC.CLONE_NEWNET) == 0 ? 0 : Marshal.GetLastPInvokeError();
            socket = new Socket(family, SocketType.Stream, ProtocolType.Unspecified);
        });
        thread.Start();
        thread.Join();
        Assert.Equal(0, error);
        return socket!;
    }
}
