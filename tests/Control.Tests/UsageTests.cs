using Supervisor.Core;
using Supervisor.Listenctl;
using Supervisor.Listenctl.Terminal;
using Supervisor.Listenctl.Verbs;
using Xunit;

namespace Supervisor.Control.Tests;

public sealed class UsageTests
{
    /// <summary>Every verb with its usage, as in packaging/man/listenctl.1.</summary>
    private static readonly string Usage = "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] COMMAND\n" + string.Concat(
        ListenctlProgram.Root(
            new GlobalOptions(), new CommandContext { Output = Stream.Null, Error = TextWriter.Null }).Subcommands.OfType<Verb>()
            .Select(verb => $"       listenctl {verb.Name} {verb.Usage}".TrimEnd() + "\n"));

    [Theory]
    [InlineData("", "listenctl: missing command\n")]
    [InlineData("stats", "listenctl: unknown command \"stats\"; did you mean \"status\"?\n")]
    [InlineData("rel", "listenctl: unknown command \"rel\"\n")]
    [InlineData("--json nope x", "listenctl: unknown command \"nope\"\n")]
    [InlineData("--json", "listenctl: missing command\n")]
    [InlineData("-V", "listenctl: unknown option \"-V\"\n")]
    [InlineData(
        "reload --dryrun",
        "listenctl: unknown option \"--dryrun\"; did you mean \"--dry-run\"?\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] reload [--dry-run | --wait [--timeout D]] [--all]\n")]
    [InlineData(
        "restart --wiat a",
        "listenctl: unknown option \"--wiat\"; did you mean \"--wait\"?\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] restart SERVICE [--worker SLOT] [--wait] [--timeout D]\n")]
    [InlineData(
        "logs a --tail 5",
        "listenctl: unknown option \"--tail\"\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] logs SERVICE [--worker SLOT] [--follow] [-n N]\n")]
    [InlineData(
        "put",
        "listenctl: missing option --fd\nlistenctl: missing argument NAME\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] put NAME --fd N\n")]
    [InlineData(
        "connections --sort x",
        "listenctl: invalid value \"x\": use one of age, receive, send, rtt, retransmits\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] connections [SERVICE|LISTENER] [--sort KEY] [-n N] [--all]\n")]
    [InlineData(
        "drop a --socket",
        "listenctl: missing value for --socket\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] drop NAME\n")]
    [InlineData(
        "drop a --socket b --socket c",
        "listenctl: --socket is written more than once\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] drop NAME\n")]
    [InlineData(
        "restart",
        "listenctl: missing argument SERVICE\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] restart SERVICE [--worker SLOT] [--wait] [--timeout D]\n")]
    [InlineData(
        "restart a --timeout 5x",
        "listenctl: invalid duration \"5x\" for --timeout: use for example 500ms, 30s or 5m\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] restart SERVICE [--worker SLOT] [--wait] [--timeout D]\n")]
    [InlineData(
        "history a b",
        "listenctl: unexpected argument \"b\"\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] history LISTENER [--follow]\n")]
    [InlineData(
        "scale a 0",
        "listenctl: invalid number of workers \"0\": use 1 to 10000, or stop the service\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] scale SERVICE N\n")]
    [InlineData(
        "scale a 10001",
        "listenctl: invalid number of workers \"10001\": use 1 to 10000, or stop the service\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] scale SERVICE N\n")]
    [InlineData(
        "signal a FOO",
        "listenctl: unknown signal \"FOO\": use HUP, SIGUSR1, RTMIN+3 or a number from 1 to 64\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] signal SERVICE SIG [--worker SLOT] [--force]\n")]
    [InlineData(
        "logs a --lines x",
        "listenctl: invalid number of lines \"x\"\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] logs SERVICE [--worker SLOT] [--follow] [-n N]\n")]
    [InlineData(
        "status --wait",
        "listenctl: unknown option \"--wait\"\n"
        + "usage: listenctl [--socket PATH] [-H [USER@]HOST] [--json] status [SERVICE] [--all]\n")]
    public void A_wrong_command_line_exits_with_2_and_prints_the_usage(string line, string error)
    {
        var args = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            new Listenctl(ExitCode.Usage, "", error.Contains("usage:", StringComparison.Ordinal) ? error : error + Usage),
            Listenctl.Run(args));
    }

    [Theory]
    [InlineData("start")]
    [InlineData("stop a b")]
    [InlineData("scale a")]
    [InlineData("signal a")]
    [InlineData("events a")]
    [InlineData("restart a --timeout")]
    [InlineData("restart a --timeout 0s")]
    [InlineData("restart a --timeout -5s")]
    [InlineData("restart a --timeout 1.5s")]
    [InlineData("restart a --timeout 10")]
    [InlineData("restart a --timeout 9223372036854775807d")]
    [InlineData("--socket")]
    [InlineData("--socket a --socket b status")]
    [InlineData("--nope status")]
    [InlineData("put a --fd abc")]
    [InlineData("put a --fd 99999999999")]
    public void Other_wrong_command_lines_exit_with_2(string line)
    {
        var result = Listenctl.Run(line.Split(' '));
        Assert.Equal((ExitCode.Usage, ""), (result.ExitCode, result.Output));
        Assert.StartsWith("listenctl: ", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("logs")]
    [InlineData("history")]
    [InlineData("restart")]
    public void An_empty_name_is_a_usage_error(string verb)
    {
        var result = Listenctl.Run([verb, ""]);
        Assert.Equal((ExitCode.Usage, ""), (result.ExitCode, result.Output));
        Assert.Contains("is empty: write a name", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("5m", 300_000)]
    [InlineData("1h30m", 5_400_000)]
    public void Durations(string text, int milliseconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), duration);
    }

    [Theory]
    [InlineData("--version")]
    [InlineData("status --version")]
    [InlineData("restart --version")]
    public void The_version_output_is_one_line(string line)
    {
        var result = Listenctl.Run(line.Split(' '));
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.Matches("^listenctl [0-9]+\\.[0-9]+\\.[0-9]+[^\n]*\n$", result.Output);
    }

    [Theory]
    [InlineData("--json --version")]
    [InlineData("--version --json status")]
    [InlineData("restart --version --json")]
    public void The_version_is_a_document_with_json(string line)
    {
        var result = Listenctl.Run(line.Split(' '));
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.Matches("^{\"name\":\"listenctl\",\"version\":\"[0-9]+\\.[0-9]+\\.[0-9]+[^\"]*\"}\n$", result.Output);
    }

    [Theory]
    [InlineData("--help", "restart")]
    [InlineData("--help", "signal <SERVICE> <SIG>  Send")]
    [InlineData("-h", "LISTEND_CONTROL")]
    [InlineData("restart --help", "--timeout <D>")]
    [InlineData("history --help", "--follow")]
    public void Help_is_printed_to_standard_output(string line, string contains)
    {
        var result = Listenctl.Run(line.Split(' '));
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.Contains(contains, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_socket_option_works_before_or_after_the_verb()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json("[]"));
        foreach (string[] args in new string[][]
        {
            ["--socket", daemon.SocketPath, "listeners", "--json"],
            ["--json", "listeners", "--socket", daemon.SocketPath],
            ["listeners", $"--socket={daemon.SocketPath}", "--json"],
        })
        {
            Assert.Equal(new Listenctl(ExitCode.Done, "[]\n", ""), Listenctl.Run(args));
        }
    }
}
