namespace Supervisor.Config.Tests;

public sealed class ShellCommandTests
{
    [Theory]
    [InlineData("sh", "-c", "python3 srv.py; true")]
    [InlineData("sh", "-c", "python3 srv.py")]
    [InlineData("/bin/dash", "-ec", "cd /srv && python3 srv.py")]
    [InlineData("/usr/bin/env", "A=1", "bash", "-c", "python3 srv.py; true")]
    [InlineData("env", "-i", "-u", "B", "sh", "-c", "python3 srv.py")]
    [InlineData("nice", "-n", "5", "sh", "-c", "a")]
    [InlineData("busybox", "sh", "-c", "a; b")]
    [InlineData("bash", "-o", "pipefail", "-c", "python3 srv.py | tee log")]
    [InlineData("bash", "-euo", "pipefail", "-c", "python3 srv.py > log")]
    [InlineData("bash", "-c", "python3 srv.py & wait")]
    [InlineData("bash", "-c", "python3 srv.py || true")]
    [InlineData("bash", "-c", "python3 srv.py\ntrue\n")]
    [InlineData("bash", "-c", "if true; then python3 srv.py; fi")]
    [InlineData("bash", "-c", "(python3 srv.py)")]
    [InlineData("bash", "-c", "while :; do python3 srv.py; done")]
    [InlineData("sh", "-c", "exec 3>&1; python3 srv.py")]
    [InlineData("sh", "-c", "echo 'exec x'; python3 srv.py # exec python3 srv.py")]
    public void A_shell_that_stays_is_found(params string[] command) => Assert.Equal(["service.s.command"], Settings(command));

    [Theory]
    [InlineData("python3", "srv.py", "-c", "a; b")]
    [InlineData("sh", "-c", "exec python3 srv.py")]
    [InlineData("sh", "-c", "cd /srv && A=1 exec python3 srv.py")]
    [InlineData("sh", "-c", "migrate; exec python3 srv.py 2>&1")]
    [InlineData("sh", "-c", "if [ -f x ]; then . x; fi\nexec python3 srv.py\n")]
    [InlineData("bash", "-c", "python3 srv.py")]
    [InlineData("bash", "-c", "cd /srv && A=$(date; true) python3 'a;b' \"c && d\"")]
    [InlineData("bash", "-c", "export A=1; ulimit -n 100; python3 srv.py")]
    [InlineData("sh", "/srv/run.sh")]
    [InlineData("bash", "--norc", "/srv/run.sh", "-c", "a; b")]
    [InlineData("sh", "-c")]
    [InlineData("sh", "-c", "")]
    [InlineData("sh")]
    [InlineData("env")]
    public void A_shell_that_replaces_itself_is_not(params string[] command) => Assert.Empty(Settings(command));

    [Theory]
    [InlineData("python3 srv.py; true", "write exec before the program: \"exec python3 srv.py\"")]
    [InlineData("srv & wait", "write exec before the program: \"exec srv\"")]
    [InlineData("while :; do srv; done", "end the text with exec and a program")]
    public void The_remedy_names_a_program_that_can_be_executed(string script, string remedy) => Assert.StartsWith(
        remedy, Assert.Single(Parsing.Parse($"[service.s]\ncommand = [\"sh\", \"-c\", \"{script}\"]\n").Warnings).Remedy!,
        StringComparison.Ordinal);

    private static IEnumerable<string?> Settings(string[] command)
    {
        var words = string.Join(", ", command.Select(word => System.Text.Json.JsonSerializer.Serialize(word)));
        var result = Parsing.Parse($"[service.s]\ncommand = [{words}]\n");
        Assert.Empty(result.Errors);
        return result.Warnings.Select(warning => warning.Setting);
    }
}
