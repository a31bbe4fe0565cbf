namespace Supervisor.Config.Tests;

/// <summary>Strings contain no NUL. Only arguments and values of variables may contain a line break.</summary>
public sealed class TextTests
{
    private const string Service = "[service.a]\ncommand = [\"/a\"]\n";

    [Theory]
    [InlineData("working_directory = \"/a\\u0000b\"", "contains a NUL character")]
    [InlineData("working_directory = \"/a\\nb\"", "contains a line break")]
    [InlineData("environment = { A = \"\\u0000\" }", "contains a NUL character")]
    [InlineData("environment_files = [\"/a\\r\"]", "contains a line break")]
    [InlineData("user = \"a\\nb\"", "contains a line break")]
    [InlineData("hooks.post_stop = [\"/a\", \"b\\u0000\"]", "contains a NUL character")]
    [InlineData("log = \"file:/a\\u0000\"", "contains a NUL character")]
    public void Refused(string line, string says) =>
        Assert.Contains(says, Assert.Single(Parsing.Errors(Service + line)), StringComparison.Ordinal);

    [Fact]
    public void Allowed()
    {
        var service = Parsing.Service("[service.a]\ncommand = [\"/a\", \"b\\nc\"]\nenvironment = { A = \"b\\nc\", \"B.C\" = \"\" }\n");
        Assert.Equal("b\nc", service.Command[1]);
        Assert.Equal("b\nc", service.Environment["A"]);
        Assert.Equal("", service.Environment["B.C"]);
    }

    [Theory]
    [InlineData("LISTEN_FDS")]
    [InlineData("LISTEND_BROKER")]
    [InlineData("WATCHDOG_USEC")]
    [InlineData("NOTIFY_SOCKET")]
    public void The_configuration_rejects_the_daemons_own_variables(string name) => Assert.Equal(
        [$"main.toml:3:17: service.a.environment.{name}: {name} is reserved: the daemon sets it for its workers; "
        + "remove it or give it another name"],
        Parsing.Errors($"{Service}environment = {{ {name} = \"1\" }}"));

    [Theory]
    [InlineData("a:b")]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("é")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public void The_configuration_rejects_invalid_descriptor_names(string name)
    {
        Assert.Contains(
            "is not a valid name",
            Assert.Single(Parsing.Errors($"[service.\"{name}\"]\ncommand = [\"/a\"]")),
            StringComparison.Ordinal);
        Assert.Contains(
            "is not a valid name", Assert.Single(
                Parsing.Errors($"[listener.\"{name}\"]\naddress = \"tcp://*:1\"")), StringComparison.Ordinal);
    }
}
