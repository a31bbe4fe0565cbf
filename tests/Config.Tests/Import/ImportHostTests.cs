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

    [Fact]
    public void A_unit_of_a_user_manager_has_the_folders_of_the_user()
    {
        var host = new ImportHost(Users:
        [
            new ImportUser("root", "0", "0", "/root", "/bin/bash"),
            new ImportUser("mo", "1001", "1002", "/etc/home/mo", "/bin/zsh"),
        ]);
        const string text = "[Service]\nExecStart=/bin/app %h %u %U %t %C %E %s ${STATE_DIRECTORY}\nStateDirectory=app\n";
        var service = Assert.Single(Parsing.Good(Imported.On(host, "home/mo/.config/systemd/user/app.service", text).Toml!).Services);
        Assert.Equal("mo", service.User);
        Assert.Equal("/etc/home/mo", service.WorkingDirectory?.ToString());
        Assert.Equal(
            [
                "/bin/app", "/etc/home/mo", "mo", "1001", "/run/user/1001", "/etc/home/mo/.cache", "/etc/home/mo/.config", "/bin/zsh",
                "/etc/home/mo/.local/state/app",
            ],
            service.Command.Select(word => word.ToString()));
    }

    [Fact]
    public void A_unit_of_an_unknown_user_does_not_silently_run_as_root()
    {
        var result = Imported.On(new ImportHost(), "systemd/user/app.service", "[Service]\nExecStart=/bin/app\n");
        Assert.Equal(DifferenceKind.Lost, Assert.Single(result.Differences).Kind);
        var error = Assert.Single(Imported.On(new ImportHost(), "systemd/user/app.service", "[Service]\nExecStart=%h/app\n").Errors);
        Assert.Contains("%h depends on the user", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("User=mo", "/home/mo")]
    [InlineData("User=1001", "/home/mo")]
    [InlineData("", "/root")]
    [InlineData("User=unknown", "/")]
    public void The_home_of_a_user_is_that_of_the_host(string user, string directory)
    {
        var host = new ImportHost(
            Users: [new ImportUser("root", "0", "0", "/root", "/bin/sh"), new ImportUser("mo", "1001", "1001", "/home/mo", "/bin/sh")]);
        var toml = Imported.On(host, "a.service", $"[Service]\nExecStart=/bin/app\nWorkingDirectory=~\n{user}\n").Toml!;
        Assert.Equal(directory, Assert.Single(Parsing.Good(toml).Services).WorkingDirectory?.ToString());
    }
}
