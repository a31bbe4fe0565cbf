using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Tests;

/// <summary>Errors that are found after parsing have a position. Sections without an error can be read next to others.</summary>
public sealed class PlacesTests
{
    private const string Main = """
        [daemon]
        metrics = "127.0.0.1:9469"

        [listener.web]
        address = "tcp://*:80"
        allow = ["user:a", "user:b"]
        unix.user = "c"

        [listener."a.b"]
        address = "tcp://*:81"
        listen = { backlog = 0 }
        """;

    private static readonly ConfigResult Result = Parsing.Parse(
        [
            new ConfigSource(Parsing.File, Main),
            new ConfigSource(
                "conf.d/1.toml",
                "[service.s]\ncommand = [\"/a\"]\nuser = \"u\"\n[service.t]\ncommand = [\"/a\"]\nworkes = 2\ngroup = \"g\"\n"),
        ],
        Parsing.Context);

    [Theory]
    [InlineData("daemon", null, "metrics", null, "main.toml:2:11: daemon.metrics")]
    [InlineData("listener", "web", "allow", null, "main.toml:6:9: listener.web.allow")]
    [InlineData("listener", "web", "allow", 1, "main.toml:6:20: listener.web.allow")]
    [InlineData("listener", "web", "allow", 9, "main.toml:6:9: listener.web.allow")]
    [InlineData("listener", "web", "unix.user", null, "main.toml:7:13: listener.web.unix.user")]
    [InlineData("listener", "a.b", "listen.backlog", null, "main.toml:11:22: listener.a.b.listen.backlog")]
    [InlineData("listener", "a.b", "shards", null, "main.toml:9:11: listener.a.b.shards")]
    [InlineData("service", "s", "user", null, "conf.d/1.toml:3:8: service.s.user")]
    [InlineData("service", "s", "", null, "conf.d/1.toml:1:10: service.s")]
    [InlineData("service", "nobody", "user", null, "main.toml: service.nobody.user")]
    public void A_setting_has_a_place(string section, string? name, string key, int? element, string expected) =>
        Assert.Equal($"{expected}: wrong; mend it", Result.Places.Diagnostic(section, name, key, "wrong", "mend it", element).ToString());

    [Fact]
    public void Valid_settings_are_read_next_to_invalid_settings()
    {
        Assert.Null(Result.Config);
        Assert.Empty(Result.Readable.Listeners); // web has a setting that cannot apply to its address, a.b a value out of range
        Assert.Equal(["web", "a.b"], Result.Draft.Listeners.Select(l => l.Name));
        Assert.Equal(["s"], Result.Readable.Services.Select(s => s.Name));
        Assert.Equal([("s", "u", null), ("t", null, "g")], Result.Draft.Services.Select(s => (s.Name, s.User, s.Group)));
    }

    [Fact]
    public void Every_setting_is_read_without_errors()
    {
        var result = Parsing.Parse("[listener.web]\naddress = \"tcp://*:80\"\n");
        Assert.NotNull(result.Config);
        Assert.Same(result.Config, result.Readable);
        Assert.Same(result.Config, result.Draft);
    }

    [Fact]
    public void Diagnostics_are_sorted_by_file_and_position()
    {
        ConfigDiagnostic[] given =
        [
            new("conf.d/1.toml", 1, 1, null, "c", null), new("main.toml", 9, 1, null, "b", null), new(
                "main.toml",
                2,
                5,
                null,
                "a",
                null), new("elsewhere", 0, 0, null, "first", null),
        ];
        Assert.Equal(["first", "a", "b", "c"], Result.Places.Sort(given).Select(e => e.Message));
    }
}
