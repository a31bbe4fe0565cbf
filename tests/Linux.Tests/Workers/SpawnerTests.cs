using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>From a service and its listeners to a worker, with every way to fail.</summary>
public class SpawnerTests(Probe probe) : KernelTest, IClassFixture<Probe>
{
    private readonly TemporaryDirectory _directory = new();

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public void A_worker_gets_only_its_listeners_and_variables()
    {
        using var first = Given.Listener("tcp://127.0.0.1:0");
        using var second = Given.Listener("unix://@linux-tests-spawner");
        var (lines, _) = Run(
            Service() with { Listeners = ["web", "web"], Environment = Variables(("MODE", "x")) },
            [first, second],
            out var pid);
        Assert.Equal($"socket:[{first.Inode}]", lines["fd.3"]);
        Assert.Equal($"socket:[{second.Inode}]", lines["fd.4"]);
        Assert.Equal("/dev/null", lines["fd.0"]);
        Assert.Equal(5, lines.Keys.Count(key => key.StartsWith("fd.", StringComparison.Ordinal)));
        var number = pid.ToString(CultureInfo.InvariantCulture);
        Assert.Equal(("2", "web:web", number), (lines["env.LISTEN_FDS"], lines["env.LISTEN_FDNAMES"], lines["env.LISTEN_PID"]));
        Assert.Equal(("api", "1", "7", "/broker", "x"), (lines["env.LISTEND_SERVICE"], lines["env.LISTEND_WORKER"], lines[
            "env.LISTEND_GENERATION"], lines["env.LISTEND_BROKER"], lines["env.MODE"]));
        Assert.Equal(_directory["api.3.sock"], lines["env.NOTIFY_SOCKET"]);
        Assert.Equal("1", lines["status.NoNewPrivs"]);
    }

    [Fact]
    public void A_listener_on_standard_input_is_descriptor_0()
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        var (lines, _) = Run(Service() with { Listeners = ["web"], Handoff = HandoffKind.Stdin }, [listener], out _);
        Assert.Equal($"socket:[{listener.Inode}]", lines["fd.0"]);
        Assert.Equal(3, lines.Keys.Count(key => key.StartsWith("fd.", StringComparison.Ordinal)));
        Assert.DoesNotContain("env.LISTEN_FDS", lines.Keys);
    }

    /// <summary>The worker does not get the daemon's variables; files come before the service's own variables.</summary>
    [Fact]
    public void Variables_keep_their_order_without_the_daemons_own()
    {
        string[] ours = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEND_CONTROL"];
        foreach (var name in ours)
        {
            Environment.SetEnvironmentVariable(name, "the daemon's");
        }

        Environment.SetEnvironmentVariable("LINUX_TESTS", "inherited");
        try
        {
            File.WriteAllText(_directory["env"], "LINUX_TESTS=file\nOTHER=file\nLISTEN_FDS=9\n");
            var (lines, _) = Run(
                Service() with { EnvironmentFiles = [_directory["env"]], Environment = Variables(("OTHER", "own")) },
                [],
                out _);
            Assert.Equal(("file", "own"), (lines["env.LINUX_TESTS"], lines["env.OTHER"]));
            Assert.DoesNotContain("the daemon's", lines.Values);
            Assert.DoesNotContain("env.LISTEN_FDS", lines.Keys);
        }
        finally
        {
            foreach (var name in ours.Append("LINUX_TESTS"))
            {
                Environment.SetEnvironmentVariable(name, null);
            }
        }
    }

    [Fact]
    public void Another_user_gets_its_own_names_groups_and_notify_socket()
    {
        var (lines, notifyOwner) = Run(Service() with { User = "nobody" }, [], out _);
        Assert.Equal(("nobody", "nobody"), (lines["env.USER"], lines["env.LOGNAME"]));
        Assert.Equal("65534\t65534\t65534\t65534", lines["status.Uid"]);
        Assert.Equal("65534\t65534\t65534\t65534", lines["status.Gid"]);
        Assert.Equal("65534", lines["status.Groups"].Trim());
        Assert.Equal(65534u, notifyOwner);
    }

    /// <summary>As for a server that is configured to log to /dev/stdout.</summary>
    [Fact]
    public void Another_user_can_open_its_output_again()
    {
        var (lines, _) = Run(Service() with { Command = ["/bin/sh", "-c", "echo out=again > /dev/stdout"], User = "nobody" }, [], out _);
        Assert.Equal("again", lines["out"]);
    }

    public static TheoryData<string, string> Failures() => new()
    {
        { "missing", "command \"/no/such/program\": executing it: ENOENT" },
        { "unknown", "command \"no-such-program\": not found in any directory of PATH" },
        { "directory", "working_directory \"/no/such/directory\": entering it: ENOENT" },
        { "limit", "limits.nofile = 4611686018427387904: setting it: EPERM" },
        { "descriptors", "placing descriptor 2: EBADF" },
        { "environment", "environment_files \"/no/such/file\": reading it: /no/such/file does not exist" },
        { "notify", "notify socket: bind(" },
        { "capability", "capabilities" },
    };

    /// <summary>
    /// Each message has setting, value, stage and errno; no process, descriptor or file leaks (the base class checks).
    /// </summary>
    [Theory]
    [MemberData(nameof(Failures))]
    public void A_failure_names_the_failed_step_and_leaves_nothing(string what, string text)
    {
        using var listener = Given.Listener("tcp://127.0.0.1:0");
        var spec = what switch
        {
            "missing" => Service() with { Command = ["/no/such/program"] },
            "unknown" => Service() with { Command = ["no-such-program"] },
            "directory" => Service() with { WorkingDirectory = "/no/such/directory" },
            "limit" => Service() with { Limits = [new("nofile", 7, 1UL << 62)] },
            "descriptors" => Service() with { Limits = [new("nofile", 7, 2)] },
            "environment" => Service() with { EnvironmentFiles = ["/no/such/file"] },
            "capability" => Service() with { Capabilities = ["CAP_NET_ADMIN"] },
            _ => Service(),
        };
        void Fail()
        {
            using var spawner = new Spawner(what == "notify" ? "/dev/null/directory" : _directory.Path, "/broker", TimeProvider.System);
            var before = ProcessDescriptors.Open();
            Assert.Null(Spawn(spawner, spec, [listener], [], out var failure));
            Assert.Contains(text, failure, StringComparison.Ordinal);
            Assert.Equal(before, ProcessDescriptors.Open());
        }

        if (what is "capability" or "limit")
        {
            File.SetUnixFileMode(_directory.Path, (UnixFileMode)0x1FF);
            KernelThread.AsNobody(Fail);
        }
        else
        {
            Fail();
        }

        Assert.Empty(_directory.Files);
    }

    /// <summary>A listener without a socket is the caller's mistake; what was opened for the worker is closed anyway.</summary>
    [Fact]
    public void A_listener_without_a_socket_leaks_nothing()
    {
        using var spawner = new Spawner(_directory.Path, "/broker", TimeProvider.System);
        using var failed = Given.Attempt("tcp://192.0.2.1:0");
        var before = ProcessDescriptors.Open();
        Assert.Null(Spawn(spawner, Service() with { Listeners = ["web"] }, [failed], [], out var failure));
        Assert.Contains("\"web\"", failure, StringComparison.Ordinal);
        Assert.Equal(before, ProcessDescriptors.Open());
        Assert.Empty(_directory.Files);
    }

    private ServiceSpec Service() => new() { Name = "api", Command = [probe.Path, "1"] };

    private static ImmutableSortedDictionary<string, string> Variables(params (string Name, string Value)[] pairs) =>
        pairs.ToImmutableSortedDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal);

    private (Dictionary<string, string> Lines, uint NotifyOwner) Run(ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners, out int pid)
    {
        var output = new List<string>();
        using var spawner = new Spawner(_directory.Path, "/broker", TimeProvider.System);
        using var process = Spawn(spawner, spec, listeners, output, out var failure);
        Assert.True(process is not null, failure);
        pid = process.Pid;
        Assert.Null(Files.GetStatus(process.Notify!.Path, out var status));
        do
        {
            Libc.WaitFor(process.Output!.Descriptor);
        }
        while (process.Output!.Drain());
        Libc.WaitFor(process.Main.Pidfd);
        Assert.Equal(new Processes.Exit(false, 0, false), Processes.Reap(process.Main.Pidfd));
        return (output.Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2)
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal), status.Uid);
    }

    private static WorkerProcess? Spawn(
        Spawner spawner, ServiceSpec spec, IReadOnlyList<ListenerHandle> listeners, List<string> output, out string? failure)
    {
        Assert.True(WorkerIdentity.TryLookUp(spec, out var identity, out var error), error);
        var worker = new WorkerState { Id = 3, Slot = 1, Generation = 7, Phase = WorkerPhase.Starting, StartedAt = default };
        var variables = FileVariables.None;
        if (!spec.EnvironmentFiles.IsEmpty)
        {
            using var loop = new EventLoop(TimeProvider.System);
            new EnvironmentFileReader(loop, static _ => { }).Read(spec, identity, read =>
            {
                variables = read;
                loop.Stop();
            });
            loop.Run();
            if (variables.Error is { } unread)
            {
                failure = unread;
                return null;
            }
        }

        using var pins = new GenerationPins(_ => { });
        if (spawner.Start(
            spec, identity, worker, listeners, Take, Take, variables, pins, isOneOfMany: false, out failure)
            is not { } process)
        {
            return null;
        }

        while (!process.Launch!.TryGetOutcome(out failure))
        {
            Libc.WaitFor(process.Launch.Status!);
        }

        if (failure is null)
        {
            return process;
        }

        using (process)
        {
            Libc.WaitFor(process.Main.Pidfd);
            process.Reap();
        }

        return null;

        void Take(OutputPiece piece) => output.Add(piece.Text);
    }
}
