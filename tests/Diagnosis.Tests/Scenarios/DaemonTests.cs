using System.Diagnostics;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Core;

namespace Supervisor.Diagnosis.Tests.Scenarios;

/// <summary>What the daemon does with a cause, and what check says of it.</summary>
public sealed class DaemonTests
{
    [Fact]
    public void Failed_listener_is_explained_and_others_run() => Stage.Run(stage =>
    {
        stage.Listener("127.0.0.1", 8080);
        var daemon = Run(stage, Listener("a", "tcp://127.0.0.1:8080") + Listener("b", "tcp://127.0.0.1:8081"));
        Await(daemon, MessageIds.WorkerReady, Of("SERVICE", "b"));
        var listeners = Ask(stage, "listeners", ControlJson.Default.ListListenerDocument);
        var failure = listeners.Single(listener => listener.Name == "a").Failure!;
        Assert.Equal(("EADDRINUSE", "same-address", false), (failure.Errno, failure.Cause, failure.Retry));
        Assert.Equal(Environment.ProcessId, Assert.Single(failure.Owners).Pid);
        Assert.Equal("listening", listeners.Single(listener => listener.Name == "b").State);
        var status = Ask(stage, "status", ControlJson.Default.StatusDocument);
        var failed = status.Services.Single(service => service.Name == "a");
        Assert.Equal("failed", failed.State);
        Assert.Contains("same-address", failed.Reason, StringComparison.Ordinal);
    });

    [Fact]
    public void Run_exits_with_1_when_nothing_is_bound() => Stage.Run(stage =>
    {
        stage.Listener("127.0.0.1", 8080);
        var daemon = Run(stage, Listener("a", "tcp://127.0.0.1:8080", wait: "10s"));
        Await(daemon, MessageIds.ListenerFailed, Of("LISTENER", "a"), "same-address");
        daemon.WaitForExit();
        Assert.Equal(1, daemon.ExitCode);
    });

    [Fact]
    public void Wait_ends_when_the_address_appears() => Stage.Run(stage =>
    {
        var daemon = Run(stage, Listener("a", "tcp://192.0.2.7:8080", wait: "5m"));
        Await(daemon, MessageIds.ListenerWaiting, Of("LISTENER", "a"));
        Shell.Run("ip addr add 192.0.2.7/32 dev lo");
        Await(daemon, MessageIds.ListenerReady, Of("LISTENER", "a"), "tcp://192.0.2.7:8080");
    });

    [Fact]
    public void Wait_ends_when_the_predecessor_exits() => Stage.Run(stage =>
    {
        var listener = stage.Listener("127.0.0.1", 8080);
        var worker = stage.Heir(listener, ("LISTEND_SERVICE", "a"));
        stage.Close(listener);
        var daemon = Run(stage, Listener("a", "tcp://127.0.0.1:8080", wait: "5m"));
        Await(daemon, MessageIds.ListenerWaiting, Of("LISTENER", "a"));
        worker.StandardInput.Close();
        Await(daemon, MessageIds.ListenerReady, Of("LISTENER", "a"), "tcp://127.0.0.1:8080");
    });

    [Fact]
    public void Wait_ends_when_the_holder_closes_its_socket() => Stage.Run(stage =>
    {
        var listener = stage.Listener("127.0.0.1", 9000);
        var client = stage.Bound("127.0.0.1", 8080);
        Assert.Equal(0, Kernel.Connect(client, System.Net.IPAddress.Loopback, 9000));
        var accepted = Kernel.Accept(listener);
        var daemon = Run(stage, Listener("a", "tcp://127.0.0.1:8080", wait: "5m"));
        Await(daemon, MessageIds.ListenerWaiting, Of("LISTENER", "a"), "connections-open");

        // The other end closes first: no TIME_WAIT on the port.
        Kernel.ShutdownWrite(accepted);
        Kernel.ReadEnd(client);
        stage.Close(client);
        Await(daemon, MessageIds.ListenerReady, Of("LISTENER", "a"), "tcp://127.0.0.1:8080");
        Kernel.Close(accepted);
    });

    [Fact]
    public void Wait_ends_after_on_conflict_wait() => Stage.Run(stage =>
    {
        var daemon = Run(stage, Listener("a", "tcp://192.0.2.7:8080", wait: "200ms"));
        Await(daemon, MessageIds.ListenerGivenUp, Of("LISTENER", "a"), "200ms");
        daemon.WaitForExit();
        Assert.Equal(1, daemon.ExitCode);
    });

    [Fact]
    public void Check_names_the_holder_unless_it_is_the_daemon() => Stage.Run(stage =>
    {
        stage.Listener("127.0.0.1", 8080);
        var config = Write(
            stage,
            Listener("a", "tcp://0.0.0.0:8080") + Listener("b", "tcp://127.0.0.1:8081") + Listener("c", "tcp://[::]:8081"));
        var failures = Check(config).Failures;
        Assert.Equal(["wildcard-covers-existing", "duplicate-in-config"], failures.Select(failure => failure.Cause));
        Assert.Equal(Environment.ProcessId, Assert.Single(failures[0].Owners).Pid);

        config = Write(stage, Listener("b", "tcp://127.0.0.1:8081"));
        Assert.True(Check(config).Ok);
        Await(Start(stage, config), MessageIds.ListenerReady, Of("LISTENER", "b"));
        Assert.True(Check(config).Ok);
    });

    private static string Listener(string name, string address, string? wait = null) => $"""
        [listener.{name}]
        address = "{address}"
        {(wait is null ? "" : $"on_conflict = {{ wait = \"{wait}\" }}")}
        [service.{name}]
        command = ["/bin/sleep", "infinity"]
        listeners = ["{name}"]
        ready = "started"
        stop_timeout = "1s"

        """;

    private static string Write(Stage stage, string text)
    {
        var path = Path.Combine(stage.Directory, "listend.toml");
        File.WriteAllText(path, $"""
            [daemon]
            runtime_directory = "{stage.Directory}/run"

            {text}
            """);
        return path;
    }

    private static Process Run(Stage stage, string text) => Start(stage, Write(stage, text));

    private static Process Start(Stage stage, string config) =>
        stage.Start($"exec {Published.Listend} run --config {config} --log-format json 2>&1");

    /// <summary>The field of a message that names its listener or service.</summary>
    private static string Of(string kind, string name) => $"\"LISTEND_{kind}\":\"{name}\"";

    /// <summary>Reads the log up to a message of that kind with those facts.</summary>
    private static void Await(Process daemon, string kind, params string[] facts)
    {
        var seen = new List<string>();
        while (daemon.StandardOutput.ReadLine() is { } line)
        {
            seen.Add(line);
            if (line.Contains(kind, StringComparison.Ordinal) && facts.All(fact => line.Contains(fact, StringComparison.Ordinal)))
            {
                return;
            }
        }

        Assert.Fail($"the log ended without {kind} {string.Join(" ", facts)}:\n{string.Join('\n', seen)}");
    }

    private static T Ask<T>(Stage stage, string verb, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(Shell.Run($"{Published.Listenctl} --socket {stage.Directory}/run/control.sock {verb} --json"), type)!;

    private static CheckDocument Check(string config) =>
        JsonSerializer.Deserialize(
            Shell.Run($"{Published.Listend} check --config {config} --json || true"),
            ControlJson.Default.CheckDocument)!;
}
