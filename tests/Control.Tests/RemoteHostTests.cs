using Supervisor.Listenctl;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;
using Xunit;

namespace Supervisor.Control.Tests;

public sealed class RemoteHostTests
{
    [Theory]
    [InlineData("listenctl status --json", "-H", "web1", "status", "--json")]
    [InlineData("listenctl status", "status", "--host=web1")]
    [InlineData("listenctl status", "-Hweb1", "status")]
    [InlineData("listenctl --socket /run/x.sock restart api", "--socket", "/run/x.sock", "restart", "api", "-H", "web1")]
    [InlineData("listenctl take web -- sh -c 'exec env -H x'", "-H", "web1", "take", "web", "--", "sh", "-c", "exec env -H x")]
    [InlineData("listenctl take web -- env -H x --host=y", "-H", "web1", "take", "web", "--", "env", "-H", "x", "--host=y")]
    [InlineData("listenctl restart 'a b'", "-H", "web1", "restart", "a b")]
    [InlineData("listenctl restart 'it'\\''s'", "-H", "web1", "restart", "it's")]
    [InlineData("listenctl restart '$(reboot);\n*'", "-H", "web1", "restart", "$(reboot);\n*")]
    [InlineData("listenctl restart ''", "-H", "web1", "restart", "")]
    [InlineData("listenctl restart '=ls' '~root' 'é'", "-H", "web1", "restart", "=ls", "~root", "é")]
    public void The_host_gets_the_same_arguments_quoted_for_its_shell(string expected, params string[] args) =>
        Assert.Equal(expected, RemoteHost.CommandLine(args));

    [Theory]
    [InlineData(0, 0, "status")]
    [InlineData(1, 1, "restart", "api", "--wait")]
    [InlineData(3, 3, "status")]
    [InlineData(4, 4, "status")]
    [InlineData(130, 130, "restart", "api", "--wait")]
    [InlineData(255, 3, "status")]
    [InlineData(127, 3, "status")]
    [InlineData(126, 3, "status")]
    [InlineData(127, 127, "take", "web", "--", "sh")]
    public void The_exit_status_is_that_of_the_host_except_where_ssh_or_its_shell_failed(int status, int expected, params string[] args)
    {
        var (exitCode, command, error) = Run(status, ["-H", "root@web1", .. args]);
        Assert.Equal(expected, exitCode);
        string[] input = args[0] == "take" ? ["-T"] : ["-T", "-n"];
        Assert.Equal(["ssh", "-x", .. input, "--", "root@web1", $"listenctl {string.Join(' ', args)}"], command!);
        Assert.Equal(expected == 3 && status != 3, error.Contains("cannot run listenctl on root@web1: ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_host_without_ssh_exits_with_3()
    {
        var (exitCode, _, error) = Run(null, ["-H", "web1", "status"]);
        Assert.Equal(3, exitCode);
        Assert.Contains("cannot execute ssh: not found in PATH", error, StringComparison.Ordinal);
        Assert.Contains("openssh-client", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-oProxyCommand=reboot")]
    [InlineData("root@-x")]
    [InlineData("")]
    [InlineData("root@")]
    [InlineData("@web1")]
    [InlineData("web 1")]
    [InlineData("web\n1")]
    public void A_name_that_ssh_could_misread_is_a_wrong_command_line(string host)
    {
        var (exitCode, command, error) = Run(0, [$"--host={host}", "status"]);
        Assert.Equal((2, null), (exitCode, command));
        Assert.StartsWith("listenctl: ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("put", "old", "--fd", "3")]
    [InlineData("nonsense")]
    [InlineData("restart")]
    public void What_cannot_run_on_another_host_does_not_reach_it(params string[] args) =>
        Assert.Equal((2, null), (Run(0, ["-H", "web1", .. args]).ExitCode, Run(0, ["-H", "web1", .. args]).Command));

    [Fact]
    public void Help_does_not_need_the_host() => Assert.Null(Run(0, ["-H", "web1", "status", "--help"]).Command);

    private static (int ExitCode, IReadOnlyList<string>? Command, string Error) Run(int? status, string[] args)
    {
        IReadOnlyList<string>? executed = null;
        var error = new StringWriter { NewLine = "\n" };
        var exitCode = ListenctlProgram.Run(args, new CommandContext
        {
            Output = new MemoryStream(),
            Error = error,
            RunProgram = (IReadOnlyList<string> command, out string? reason) =>
            {
                executed = command;
                reason = status is null ? "not found in PATH" : null;
                return status;
            },
        });
        return (exitCode, executed, error.ToString());
    }
}
