using Supervisor.Config.Import;

namespace Supervisor.Config.Tests.Import;

/// <summary>Facts of the host that a configuration names, such as %H.</summary>
public sealed class ImportHostTests
{
    private static readonly ImportHost Host = new(
        "web1.example.org", "Web One", "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210", "6.18.0", "x86-64",
        new Dictionary<string, string> { ["ID"] = "debian", ["VERSION_ID"] = "13" });

    private const string Unit = """
        [Unit]
        Description=App on %H
        [Service]
        ExecStart=/bin/app %H %l %q %m %b %v %a %o-%w%B%W%M%A %%H
        Environment=NODE=%p@%H
        ReadWritePaths=/srv/%H
        """;

    [Fact]
    public void Specifiers_of_systemd_are_facts_of_the_host()
    {
        var result = Imported.On(Host, "app.service", Unit);
        var service = Assert.Single(Parsing.Good(result.Toml!).Services);
        Assert.Equal(
            [
                "/bin/app", "web1.example.org", "web1", "Web One", "0123456789abcdef0123456789abcdef",
                "fedcba9876543210fedcba9876543210", "6.18.0", "x86-64", "debian-13", "%H",
            ],
            service.Command.Select(word => word.ToString()));
        Assert.Contains("NODE = \"app@web1.example.org\"", result.Toml, StringComparison.Ordinal);
        Assert.Contains("# App on web1.example.org\n", result.Toml, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_fact_of_the_host_is_named_among_the_changes()
    {
        var differences = Imported.On(Host, "app.service", Unit).Differences;
        Assert.Contains(
            differences, d => d is { Kind: DifferenceKind.Changed, Line: 4 } && d.Reason.StartsWith("%m ", StringComparison.Ordinal));
        Assert.Contains(
            differences,
            d => d is { Kind: DifferenceKind.Changed, Line: 5, Reason: "%H is written as \"web1.example.org\", which this host has now" });
        Assert.DoesNotContain(differences, d => d.Line == 6 && d.Kind == DifferenceKind.Changed);
    }

    [Fact]
    public void An_unknown_fact_is_lost() => Assert.Contains(
        "%H is unknown on this host: write its value", Assert.Single(Imported.Translate("app.service", Unit).Errors).Message,
        StringComparison.Ordinal);

    [Fact]
    public void The_host_name_of_supervisord_is_that_of_the_host()
    {
        var result = Imported.On(Host, "a.conf", "[program:a]\ncommand=/bin/a -n %(program_name)s@%(host_node_name)s\n");
        Assert.Equal(
            ["/bin/a", "-n", "a@web1.example.org"],
            Assert.Single(Parsing.Good(result.Toml!).Services).Command.Select(word => word.ToString()));
        Assert.Equal(DifferenceKind.Changed, Assert.Single(result.Differences).Kind);
    }
}
