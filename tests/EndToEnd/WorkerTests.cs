using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Supervisor.Core.Listeners.Options;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>
/// A worker in C reports what it gets: its process, its descriptors, and every socket option on the listener and on a connection.
/// </summary>
public sealed class WorkerTests
{
    private const int WriteOnly = 1;

    /// <summary>
    /// A daemon with an unclean start: variables of another supervisor, ignored and blocked signals, open descriptors.
    /// </summary>
    private static readonly DaemonOptions Careless = new()
    {
        Wrapper =
        [
            "/usr/bin/prlimit", "--nofile=500:4000",
            "/bin/sh", "-c", "exec 7</etc/passwd 8>&2; umask 077; exec \"$0\" \"$@\"",
            "/usr/bin/env", "--ignore-signal=PIPE,USR1,CHLD,HUP,RTMIN", "--block-signal=USR2,TERM,INT,CHLD,HUP,RTMAX",
        ],
        Environment = new Dictionary<string, string?>
        {
            ["LISTEND_FOO"] = "junk",
            ["LISTEN_FDS"] = "7",
            ["LISTEN_PID"] = "1",
            ["LISTEN_FDNAMES"] = "junk",
            ["WATCHDOG_USEC"] = "1000000",
            ["WATCHDOG_PID"] = "1",
            ["NOTIFY_SOCKET"] = "/run/systemd/no-such-notify",
            ["KEPT"] = "as it is",
            ["REPLACED"] = "by the file",
            ["SERVICE"] = "from the daemon",
        },
    };

    [Fact]
    public Task A_worker_gets_only_what_the_configuration_lists() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [listener.path]
        address = "unix://@dir@/path.sock"

        [listener.dgram]
        address = "udp://127.0.0.1:0"

        [service.api]
        command = ["@dir@/inspect", "--verbose", "a b"]
        listeners = ["dgram", "web", "path"]
        user = "nobody"
        group = "nogroup"
        supplementary_groups = ["tty", "33"]
        working_directory = "@dir@/work"
        environment = { SERVICE = "from the service", EMPTY = "" }
        environment_files = ["@dir@/env", "-@dir@/missing"]
        umask = "0027"
        nice = 3
        limits = { nofile = 100, core = 0 }
        capabilities = ["CAP_NET_BIND_SERVICE"]
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("api");
            var view = await AskAsync(await daemon.EndPointAsync("web"));
            var worker = Assert.Single((await daemon.StatusAsync("api")).Workers);
            Assert.Equal((worker.Pid, "inspecting"), (view.Pid, worker.StatusText));

            Assert.Equal([0, 1, 2, 3, 4, 5], view.Descriptors.Select(one => one.Fd));
            Assert.All(view.Descriptors, one => Assert.False(one.CloseOnExec));
            Assert.Equal("/dev/null", view.Descriptors[0].Target);
            Assert.All(
                view.Descriptors.Skip(1).Take(2),
                one => Assert.True(one.Target.StartsWith("pipe:", StringComparison.Ordinal) && one.Mode == WriteOnly));
            var listeners = await daemon.ListenersAsync();
            Assert.Equal(
                new[] { "dgram", "web", "path" }.Select(name => $"socket:[{listeners.Single(one => one.Name == name).Inode}]"),
                view.Descriptors.Skip(3).Select(one => one.Target));

            Assert.Equal(
                ("3", "dgram:web:path", $"{view.Pid}"),
                (view.Variable("LISTEN_FDS"), view.Variable("LISTEN_FDNAMES"), view.Variable("LISTEN_PID")));
            Assert.Equal(
                ("api", "0", "1"),
                (view.Variable("LISTEND_SERVICE"), view.Variable("LISTEND_WORKER"), view.Variable("LISTEND_GENERATION")));
            Assert.Equal(Path.Combine(daemon.Runtime, "broker.sock"), view.Variable("LISTEND_BROKER"));
            Assert.StartsWith(daemon.Runtime, view.Variable("NOTIFY_SOCKET"), StringComparison.Ordinal);
            Assert.Null(view.Variable("LISTEND_FOO"));
            Assert.Null(view.Variable("WATCHDOG_USEC"));
            Assert.Null(view.Variable("WATCHDOG_PID"));
            string[] variables = ["KEPT", "REPLACED", "SERVICE", "EMPTY", "QUOTED"];
            Assert.Equal(["as it is", "with this", "from the service", "", "a \"quoted\" one"], variables.Select(view.Variable));
            Assert.Equal(("nobody", "nobody"), (view.Variable("USER"), view.Variable("LOGNAME")));
            Assert.Equal(
                view.Environment.Count,
                view.Environment.Select(pair => pair[..pair.IndexOf('=', StringComparison.Ordinal)]).Distinct().Count());

            Assert.Equal(0UL, view.Blocked);
            Assert.Empty(view.NotDefault);
            Assert.Equal((view.Pid, view.Pid, daemon.Pid), (view.Session, view.Group, view.Parent));
            Assert.Equal((daemon.Directory["work"], 23, 3, 1), (view.Directory, view.Umask, view.Nice, view.NoNewPrivileges));
            Assert.Equal([65534, 65534, 65534], view.Uid);
            Assert.Equal([65534, 65534, 65534], view.Gid);
            Assert.Equal(new uint[] { 5, 33, 65534 }, view.Groups.Order());
            const int core = 4, nofile = 7;
            Assert.Equal([0, 0], view.Limits[core]);
            Assert.Equal([100, 100], view.Limits[nofile]);
            const string netBindService = "0000000000000400";
            Assert.Equal(
                (netBindService, netBindService, netBindService, netBindService),
                (view.Capabilities["CapInh"], view.Capabilities["CapPrm"], view.Capabilities["CapEff"], view.Capabilities["CapAmb"]));

            var history = await daemon.HistoryAsync("web");
            Assert.Contains(history, entry => entry is { Phase: "handoff", Call: "execve" }
                && entry.Actor!.Pid == view.Pid
                && entry.Note!.Contains("descriptor 4", StringComparison.Ordinal));
        },
        Careless,
        directory =>
        {
            Compile(directory);
            Directory.CreateDirectory(directory["work"]);
            directory.Write("env", "# a comment\nREPLACED='with this'\nSERVICE=file\nQUOTED=\"a \\\"quoted\\\" one\"\nLISTEN_FDS=99\n");
        });

    /// <summary>Field 19 of /proc/self/stat, proc_pid_stat(5).</summary>
    private static int OwnNice() => int.Parse(
        File.ReadAllText("/proc/self/stat").Split(')')[^1].Split(' ')[17], CultureInfo.InvariantCulture);

    [Fact]
    public Task A_worker_inherits_settings_that_are_not_configured() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.api]
        command = ["@dir@/inspect"]
        listeners = ["web"]
        no_new_privileges = false
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("api");
            var view = await AskAsync(await daemon.EndPointAsync("web"));
            Assert.Equal([0, 1, 2, 3], view.Descriptors.Select(one => one.Fd));
            Assert.Equal((0UL, 0, view.Pid, daemon.Pid), (view.Blocked, view.NotDefault.Count, view.Session, view.Parent));
            Assert.Equal((0, OwnNice()), (view.NoNewPrivileges, view.Nice));
            Assert.Equal([0, 0, 0], view.Uid);
            Assert.Equal("from the daemon", view.Variable("SERVICE"));

            // Workers have the daemon's original limit of descriptors, also if the runtime raises the daemon's limit.
            Assert.Equal([500, 4000], view.Limits[7]);
        },
        Careless,
        directory => Compile(directory));

    [Fact]
    public Task Every_option_is_set_on_the_listener_and_its_connections() => DaemonUnderTest.WithAsync(
        EveryOption.Listeners.Replace("@name@", $"{Environment.ProcessId}", StringComparison.Ordinal) +
        """


        [service.api]
        command = ["@dir@/inspect"]
        listeners = ["tcp4", "tcp6", "dual", "any", "udp4", "udp6", "path", "abstract", "datagram", "packet"]
        """,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("api");
            var listeners = await daemon.ListenersAsync();
            var compared = 0;
            foreach (var listener in listeners.Where(one => one.Kind is not ("udp" or "unix-dgram" or "unix-seqpacket")))
            {
                foreach (var target in Targets(listener.Effective!))
                {
                    var view = await AskAsync(target);
                    var at = listeners.ToList().FindIndex(one => one.Name == listener.Name);
                    Assert.Equal(at + 3, view.Through);
                    for (var i = 0; i < listeners.Count; i++)
                    {
                        foreach (var option in listeners[i].Options)
                        {
                            Assert.Equal(
                                $"{listeners[i].Name} {option.Name} {option.Effective}",
                                $"{listeners[i].Name} {option.Name} {view.Listeners[i].GetValueOrDefault(option.Name)}");
                        }
                    }

                    foreach (var option in listener.Options.Where(
                        option => SocketOptions.All.Single(row => row.Name == option.Name).Inheritance == OptionInheritance.Inherited))
                    {
                        // The kernel tunes buffers that were not set, from the first packet on. connect() creates the connection that
                        // a UNIX socket accepts, which inherits only SO_PASSCRED from the listener (net/unix/af_unix.c,
                        // unix_stream_connect and unix_accept).
                        if (target is UnixDomainSocketEndPoint
                            ? option.Name == "SO_PASSCRED"
                            : option.Requested is not null || option.Name is not ("SO_RCVBUF" or "SO_SNDBUF"))
                        {
                            Assert.Equal(
                                $"{listener.Name} {target} {option.Name} {option.Effective}",
                                $"{listener.Name} {target} {option.Name} {view.Accepted.GetValueOrDefault(option.Name)}");
                            compared++;
                        }
                    }
                }
            }

            Assert.True(compared > 60, $"{compared}");

            // Each requested option is set, or the document shows the difference.
            Assert.All(
                listeners.SelectMany(one => one.Options).Where(option => option.Requested is not null),
                option => Assert.True(option.Verdict is "exact" or "adjusted", option.ToString()));
        },
        prepare: directory =>
        {
            EveryOption.Prepare(directory);
            Compile(directory);
        });

    private static IEnumerable<EndPoint> Targets(string effective)
    {
        var address = effective[(effective.IndexOf("://", StringComparison.Ordinal) + 3)..];
        if (effective.StartsWith("unix://", StringComparison.Ordinal))
        {
            return [new UnixDomainSocketEndPoint(address[0] == '@' ? "\0" + address[1..] : address)];
        }

        var target = IPEndPoint.Parse(address);
        return target.Address.Equals(IPAddress.IPv6Any)
            ? [new IPEndPoint(IPAddress.IPv6Loopback, target.Port), new IPEndPoint(IPAddress.Loopback, target.Port)]
            : [target];
    }

    private static async Task<WorkerView> AskAsync(EndPoint target)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(target, limit.Token);
        await socket.SendAsync("?"u8.ToArray(), limit.Token);
        var answer = new List<byte>();
        var buffer = new byte[65536];
        int count;
        while ((count = await socket.ReceiveAsync(buffer, limit.Token)) > 0)
        {
            answer.AddRange(buffer.AsSpan(0, count));
        }

        return WorkerView.Parse(Encoding.UTF8.GetString([.. answer]));
    }

    private static void Compile(TemporaryDirectory directory)
    {
        var source = Path.Combine(AppContext.BaseDirectory, "workers", "inspect.c");
        var result = RunningProgram.RunAsync(
            Needs.Program("cc", "gcc libc6-dev"),
            ["-O1", "-Wall", "-Wextra", "-Werror", "-o", directory["inspect"], source]).GetAwaiter().GetResult();
        Assert.True(result.ExitCode == 0, string.Create(CultureInfo.InvariantCulture, $"cc: exit code {result.ExitCode}\n{result.Error}"));
    }
}
