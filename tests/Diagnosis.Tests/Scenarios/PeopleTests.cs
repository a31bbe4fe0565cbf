namespace Supervisor.Diagnosis.Tests.Scenarios;

/// <summary>What people see, what is said of success, and bad input.</summary>
public sealed class PeopleTests
{
    [Fact]
    public void The_verdict_comes_first_and_the_documentation_last() => Stage.Run(stage =>
    {
        stage.Listener("127.0.0.1", 8080);
        var explained = Explained.ForPeople("tcp://0.0.0.0:8080");
        Assert.Equal((1, ""), (explained.ExitCode, explained.Error));
        var lines = explained.Output.TrimEnd('\n').Split('\n');
        Assert.All(
            (string[])["tcp://0.0.0.0:8080", $"pid {Environment.ProcessId}", "uid 0", "tcp://127.0.0.1:8080", "wildcard"],
            fact => Assert.Contains(fact, lines[0], StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("listen", StringComparison.Ordinal)
            && line.Contains($" {Environment.ProcessId} ", StringComparison.Ordinal));
        Assert.EndsWith("docs/reference/errors.md#wildcard-covers-existing", lines[^1], StringComparison.Ordinal);
    });

    [Fact]
    public void A_successful_bind_can_have_warnings() => Stage.Run(_ =>
    {
        Shell.Run("sysctl -qw net.core.somaxconn=128");
        Assert.Contains(
            Explained.AsRoot("tcp://127.0.0.1:40000").Granted().Warnings,
            text => text.Contains("ip_local_port_range", StringComparison.Ordinal));
        Assert.Contains(
            Explained.AsRoot("tcp://127.0.0.1:8080").Granted().Warnings,
            text => text.Contains("net.core.somaxconn = 128", StringComparison.Ordinal));
        Assert.Contains(Explained.AsRoot("tcp://[::]:8080").Granted().Warnings, text => text.Contains("IPv4", StringComparison.Ordinal));
        Assert.DoesNotContain(
            Explained.AsRoot("tcp://[::]:8080", "--ipv6-only").Granted().Warnings,
            text => text.Contains("IPv4", StringComparison.Ordinal));
        Shell.Run("sysctl -qw net.ipv4.ip_local_reserved_ports=39999-40001");
        Assert.DoesNotContain(
            Explained.AsRoot("tcp://127.0.0.1:40000").Granted().Warnings,
            text => text.Contains("ip_local_port_range", StringComparison.Ordinal));
    });

    [Theory]
    [InlineData("localhost:80", "localhost:80")]
    [InlineData("tcp://127.0.0.1", "port")]
    [InlineData("tcp://127.0.0.1:70000", "70000")]
    [InlineData("tcp://::1:80", "::1")]
    [InlineData("http://127.0.0.1:80", "http")]
    [InlineData("unix://relative", "relative")]
    [InlineData("tcp://localhost:80", "tcp://127.0.0.1:80")]
    [InlineData("tcp://no-such-host.invalid:80", "no-such-host.invalid")]
    public void Bad_input_is_rejected_with_the_cause(string text, string said) => Stage.Run(_ =>
    {
        var explained = Explained.AsRoot(text);
        Assert.Equal((2, ""), (explained.ExitCode, explained.Output));
        Assert.Contains(said, explained.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", explained.Error, StringComparison.Ordinal);
    });

    [Fact]
    public void Contradictions_and_unknown_options_are_usage_errors() => Stage.Run(_ =>
    {
        Assert.Equal(2, Explained.AsRoot("tcp://127.0.0.1:80", "--reuse-address", "--no-reuse-address").ExitCode);
        Assert.Equal(2, Explained.AsRoot("tcp://127.0.0.1:80", "--nope").ExitCode);
        Assert.Equal(2, Explained.AsRoot().ExitCode);
    });
}
