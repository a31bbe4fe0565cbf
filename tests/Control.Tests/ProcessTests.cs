using System.Diagnostics;
using Xunit;

namespace Supervisor.Control.Tests;

/// <summary>Tests of a client process: its descriptors and its exit status.</summary>
public sealed class ProcessTests
{
    private const string Entry = """
        {"seq":1,"at":"2026-03-04T08:48:00.5+00:00","phase":"create","call":"socket","option":null,"requested":null,"effective":7,"errno":null,"verdict":"exact","actor":null,"note":null,"since_creation_us":0}
        """;

    [Fact]
    public async Task A_stream_ends_when_its_reader_closes_the_pipe()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Stream(Enumerable.Repeat(Entry + "\n", int.MaxValue)));
        var (exitCode, output, error) = await Shell(daemon, "{ $CTL history web --follow --json; echo $? >&2; } | head -n 1");
        Assert.Equal((0, Entry + "\n", "0\n"), (exitCode, output, error));
    }

    [Fact]
    public async Task Other_processes_can_append_to_the_output_file()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json("[]"));
        var file = Path.Combine(Path.GetDirectoryName(daemon.SocketPath)!, "out");
        var (exitCode, _, error) = await Shell(daemon, $"{{ echo before; $CTL listeners --json; echo after; }} > {file}");
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal("before\n[]\nafter\n", await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task The_process_exits_with_the_commands_status()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Problem(403, "only root may"));
        Assert.Equal((4, "", "listenctl: only root may\n"), await Shell(daemon, "$CTL restart api"));
        Assert.Equal(2, (await Shell(daemon, "$CTL nope")).ExitCode);
    }

    [Fact]
    public async Task A_signal_ends_ssh_and_the_client()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json("[]"));
        var folder = Path.GetDirectoryName(daemon.SocketPath)!;
        var (exitCode, output, _) = await Shell(
            daemon,
            $$"""
            cd {{folder}}
            printf '#!/bin/sh\necho $$ > started\nexec sleep 100\n' > ssh
            chmod 755 ssh
            PATH=.:$PATH $CTL -H web1 status &
            until [ -s started ]; do sleep 0.05; done
            kill -TERM $!
            wait $!
            echo $?
            status=/proc/$(cat started)/status
            while grep -q '^State:.[^Z]' "$status" 2> /dev/null; do sleep 0.05; done
            """);

        // ssh is a zombie until the first process of the namespace reaps it.
        Assert.Equal((0, "143\n"), (exitCode, output));
    }

    private static async Task<(int ExitCode, string Output, string Error)> Shell(FakeDaemon daemon, string script)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["CTL"] = $"{Environment.ProcessPath} exec {Path.Combine(AppContext.BaseDirectory, "listenctl.dll")}";
        start.Environment["LISTEND_CONTROL"] = daemon.SocketPath;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }
}
