namespace Supervisor.Config.Tests;

/// <summary>Each mistake has one message with setting and remedy. The parser checks the text around it too.</summary>
public sealed class SyntaxErrorTests
{
    private const string Before = "[listener.web]\naddress = \"tcp://*:80\"\n\n[service.a]\ncommand = [\"/a\"]\n";
    private const string After = "nice = 99\n\n[service.b]\ncommand = [\"/b\"]\nworkers = 0\n";

    [Theory]
    [InlineData(
        "command=[\"/bin/true]",
        "6:21: service.a.command: a string is not closed before the end of its line; close it with the quote that opens it")]
    [InlineData(
        "user = \"x",
        "6:10: service.a.user: a string is not closed before the end of its line; close it with the quote that opens it")]
    [InlineData("listeners = [\"web\"", "6:1: service.a.listeners: the value of listeners that begins here is not closed; close it with ]")]
    [InlineData(
        "limits = { nofile = 1",
        "6:1: service.a.limits: the value of limits that begins here is not closed; close it with } on the same line")]
    [InlineData("user=nobody", "6:6: service.a.user: nobody is not a TOML value; write strings in quotes: user = \"nobody\"")]
    [InlineData(
        "log = file:/var/log/a # x",
        "6:7: service.a.log: file:/var/log/a is not a TOML value; write strings in quotes: log = \"file:/var/log/a\"")]
    [InlineData(
        "start_timeout = 30s",
        "6:17: service.a.start_timeout: 30s is not a TOML value; write strings in quotes: start_timeout = \"30s\"")]
    [InlineData("listeners = [web]", "6:14: service.a.listeners: web is not a TOML value; write strings in quotes: \"web\"")]
    [InlineData("no_new_privileges = True", "6:21: service.a.no_new_privileges: True is not a TOML value; write no_new_privileges = true")]
    [InlineData("workers =", "6:10: service.a.workers: workers has no value; write workers = VALUE, with strings in quotes")]
    [InlineData(
        "workers=99999999999999999999",
        "6:9: service.a.workers: 99999999999999999999 is out of range (1 to 10000); write an integer from 1 to 10000")]
    [InlineData(
        "rollout = { canary = -99999999999999999999 }",
        "6:22: service.a.rollout.canary: -99999999999999999999 is out of range (0 to 10000); write an integer from 0 to 10000")]
    [InlineData("limits = { nofile = 99999999999999999999 }", "6:21: service.a.limits.nofile: 99999999999999999999 is out of range (0 "
        + "to 9223372036854775807, a size, \"infinity\", or \"SOFT:HARD\"); write an integer, a size such as \"1GiB\", \"infinity\", "
        + "or two of these as \"SOFT:HARD\"")]
    [InlineData("start_timeout = 99999999999999999999", "6:17: service.a.start_timeout: 99999999999999999999 is a number without a "
        + "unit, and this setting takes a duration; write a duration such as \"30s\"")]
    [InlineData("workers = 1 user = \"x\"", "6:13: service.a.workers: Unexpected token found `user` while expecting the end of the "
        + "line; write the line as key = value, with strings in quotes")]
    [InlineData("listeners = [\n  \"web\" \"x\",\n  \"y\"\n]", "7:9: service.a.listeners: Missing a `,` to separate items in an array; "
        + "write the line as key = value, with strings in quotes")]
    [InlineData("x", "6:2: service.a: Expecting `=` after a key instead of the end of the line; write the line as key = value, "
        + "with strings in quotes")]
    [InlineData(
        "[service.c",
        "6:11: service.c: invalid section header \"[service.c\"; write [service.c] on a line of its own")]
    [InlineData(
        "[[service.c]",
        "6:12: service.c: invalid section header \"[[service.c]\"; write [service.c] on a line of its own")]
    [InlineData(
        "[service.a]\ncommand = [\"/a\"]",
        "6:10: service.a: \"a\" is defined twice: first at main.toml:4:10; remove one of the two definitions")]
    public void A_mistake_gives_one_message_and_hides_no_other_mistake(string line, string expected)
    {
        var nice = 6 + line.Count(character => character == '\n') + 1;
        var section = line.Contains("service.c", StringComparison.Ordinal) ? "c" : "a";
        Assert.Equal(
            [
                "main.toml:" + expected,
                $"main.toml:{nice}:8: service.{section}.nice: 99 is out of range (-20 to 19); write an integer from -20 to 19",
                $"main.toml:{nice + 4}:11: service.b.workers: 0 is out of range (1 to 10000); write an integer from 1 to 10000",
            ],
            Parsing.Errors(Before + line + "\n" + After));
    }

    [Fact]
    public void A_section_without_a_name_is_skipped() => Assert.Equal(
        [
            "main.toml:6:10: invalid section header \"[service c]\": its settings were skipped; write [daemon], [listener.NAME] "
            + "or [service.NAME]",
            "main.toml:11:11: service.b.workers: 0 is out of range (1 to 10000); write an integer from 1 to 10000",
        ],
        Parsing.Errors(Before + "[service c]\n" + After));

    [Fact]
    public void An_unterminated_multi_line_string_stops_the_check() => Assert.Equal(
        ["main.toml:6:1: service.a.user: the string that begins here is not closed; the text after it was skipped; close it with the "
            + "three quotes that open it"],
        Parsing.Errors(Before + "user = \"\"\"x\n" + After));

    [Fact]
    public void Nesting_too_deep_has_a_place_and_a_remedy() => Assert.Contains(
        "main.toml:6:75: service.a.listeners: arrays or tables are nested too deeply: a setting has at most three levels; remove the "
        + "surplus brackets or braces",
        Parsing.Errors(Before + "listeners=" + new string('[', 100) + "\n" + After));

    /// <summary>A syntax error makes only its own section unreadable.</summary>
    [Fact]
    public void Text_next_to_a_mistake_is_read()
    {
        var result = Parsing.Parse(Before + "user=nobody\n[service.b]\ncommand = [\"/b\"]\n");
        Assert.Null(result.Config);
        Assert.Equal(["web"], result.Readable.Listeners.Select(listener => listener.Name));
        Assert.Equal(["b"], result.Readable.Services.Select(service => service.Name));
    }

    /// <summary>The text is parsed again for each mistake, so a large text is not searched for all mistakes.</summary>
    [Fact]
    public void Thousands_of_mistakes_are_reported_quickly()
    {
        var text = string.Concat(
            Enumerable.Range(0, 5_000).Select(i => string.Create(null, $"[listener.a{i}]\naddress = \"tcp://127.0.0.1:{i}\n")));
        var errors = Parsing.Parse(text).Errors;
        Assert.InRange(errors.Length, 1, 100);
        Assert.EndsWith("the text after it was skipped", errors[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_section_in_two_files_is_one_error() => Assert.Equal(
        ["conf.d/1.toml:1:11: listener.web: \"web\" is defined twice: first at main.toml:1:11; remove one of the two "
            + "definitions"],
        Parsing.Errors("[listener.web]\naddress = \"tcp://*:80\"\n", "[listener.web]\naddress = \"tcp://*:80\"\n"));
}
