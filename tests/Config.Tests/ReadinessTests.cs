using Supervisor.Core.Services;
using static Supervisor.Config.Tests.Parsing;

namespace Supervisor.Config.Tests;

public sealed class ReadinessTests
{
    [Fact]
    public void Each_condition_has_its_argument()
    {
        Assert.Equal(new Readiness(ReadinessKind.Tcp), Ready("tcp"));
        Assert.Equal(new Readiness(ReadinessKind.Descriptor) { Descriptor = 10 }, Ready("fd:10"));
        Assert.Equal(new Readiness(ReadinessKind.Log) { Text = "now: serving" }, Ready("log:now: serving"));
        Assert.Equal(
            new Readiness(ReadinessKind.Exec) { Command = ["/bin/check", "a b", "c"] }, Ready("exec:/bin/check 'a b' c"));
        Assert.NotEqual(Ready("exec:/bin/check a"), Ready("exec:/bin/check b"));
    }

    [Theory]
    [InlineData("fd:2", "a number from 3 to 1023")]
    [InlineData("fd:1024", "a number from 3 to 1023")]
    [InlineData("fd:x", "a number from 3 to 1023")]
    [InlineData("fd:3", "is the descriptor of a listener: the listeners get the numbers up to 4")]
    [InlineData("log:", "has no text")]
    [InlineData("exec:", "has no program")]
    [InlineData("exec:''", "has no program")]
    [InlineData("exec:a 'b", "has a quote without an end")]
    [InlineData("tpc", "did you mean \"tcp\"?")]
    [InlineData("tcp:80", "is not one of notify, started, accepting, tcp, http:/PATH, fd:N, log:TEXT, exec:COMMAND")]
    public void A_bad_condition_is_an_error(string condition, string says) =>
        Assert.Contains(says, Assert.Single(Errors(Text(condition))), StringComparison.Ordinal);

    [Theory]
    [InlineData("tcp")]
    [InlineData("http:/")]
    public void A_probe_of_a_listener_needs_one(string condition) => Assert.Contains(
        $"\"{condition}\" is requested on a TCP or UNIX stream listener, and this service lists none",
        Assert.Single(Errors($"[service.s]\ncommand = [\"/bin/s\"]\nready = \"{condition}\"")), StringComparison.Ordinal);

    [Theory]
    [InlineData("none", "fd:3")]
    [InlineData("scm-rights", "fd:3")]
    [InlineData("listen-fds", "fd:5")]
    public void A_descriptor_that_no_listener_has_is_free(string handoff, string condition) =>
        Assert.Empty(Errors(Text(condition) + $"handoff = \"{handoff}\""));

    [Theory]
    [InlineData("command = [\"/bin/{slot}\"]", "is the program")]
    [InlineData("command = [\"/bin/s\", \"{fd:b}\"]", "does not list a listener \"b\"")]
    [InlineData("command = [\"/bin/s\"]\nenvironment = { A = \"{fd:b}\" }", "does not list a listener \"b\"")]
    [InlineData("command = [\"/bin/s\", \"{fds}\"]\nhandoff = \"none\"", "handoff = \"none\" passes none")]
    [InlineData("command = [\"/bin/s\"]\nready = \"exec:/bin/check {fd:a}\"", "the command of exec: gets none")]
    [InlineData("command = [\"/bin/s\"]\nliveness.probe = \"exec:/bin/check {fds}\"", "the command of exec: gets none")]
    public void A_placeholder_without_a_value_is_an_error(string lines, string says) => Assert.Contains(
        says, Assert.Single(Errors(Listener + "[service.s]\nlisteners = [\"a\"]\n" + lines)), StringComparison.Ordinal);

    [Theory]
    [InlineData("limits = { memory_max = \"1MiB\", memory_high = \"1MiB\" }", "the kernel kills the worker at limits.memory_max")]
    [InlineData("limits = { memory_max = \"2MiB\", memory_high = \"1MiB\" }", null)]
    [InlineData("start = \"on-demand\"\nstop_when_idle = \"1m\"\nliveness.probe = \"tcp\"", null)]
    [InlineData("[access.a]\nuser = \"0\"\nservices = []\nverbs = [\"stop\"]", "names no service, so that it permits nothing")]
    [InlineData("[access.a]\nuser = \"0\"\nservices = [\"s\"]\nverbs = []", "names no verb, so that it permits nothing")]
    [InlineData("[listener.b]\naddress = \"unix:///b\"\nunix.symlinks = [\"/c\", \"/b\"]", "\"/b\" is also the address")]
    [InlineData("[listener.b]\naddress = \"unix:///b\"\nunix.symlinks = [\"/c\", \"/c\"]", "\"/c\" is also a link")]
    public void What_has_no_effect_is_a_warning(string lines, string? says)
    {
        var result = Parse(Listener + "[service.s]\nlisteners = [\"a\"]\ncommand = [\"/bin/s\"]\n" + lines);
        Assert.Empty(result.Errors);
        Assert.Equal(says is null ? 0 : 1, result.Warnings.Length);
        Assert.All(result.Warnings, warning => Assert.Contains(says!, warning.ToString(), StringComparison.Ordinal));
    }

    private const string Listener = "[listener.a]\naddress = \"tcp://127.0.0.1:80\"\nshards = 2\n";

    private static string Text(string condition) =>
        $"{Listener}[service.s]\ncommand = [\"/bin/s\"]\nlisteners = [\"a\"]\nready = \"{condition}\"\n";

    private static Readiness Ready(string condition) => Assert.Single(Good(Text(condition)).Services).Readiness;
}
