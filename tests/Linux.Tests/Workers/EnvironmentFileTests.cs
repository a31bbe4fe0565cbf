using CsCheck;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>The syntax of systemd.exec(5), EnvironmentFile=, case by case.</summary>
public class EnvironmentFileTests : KernelTest
{
    private static readonly WorkerIdentity Own = new(null, null, null, []);

    public static TheoryData<string, string> Values() => new()
    {
        { "plain", "plain" },
        { "", "" },
        { "  both ends  ", "both ends" },
        { "inner  blanks\tstay", "inner  blanks\tstay" },
        { "a=b=c", "a=b=c" },
        { "x # no comment", "x # no comment" },
        { "x ; no comment", "x ; no comment" },
        { "'single $x \\n'", "single $x \\n" },
        { "\"double\"", "double" },
        { "\"  blanks  \"", "  blanks  " },
        { "  'x'  ", "x" },
        { "'one' 'two'", "onetwo" },
        { "'one'\"two\"three", "onetwothree" },
        { "'one'two's", "onetwo's" },
        { "it's", "it's" },
        { "say \"hi\"", "say \"hi\"" },
        { "\"a\\\"b\\\\c\\$d\\`e\"", "a\"b\\c$d`e" },
        { "\"a\\nb\\tc\"", "a\\nb\\tc" },
        { "a\\nb\\\\c\\'d", "anb\\c'd" },
        { "one\\\ntwo", "onetwo" },
        { "\"one\\\ntwo\"", "onetwo" },
        { "\"one\ntwo\"", "one\ntwo" },
        { "'one\ntwo'", "one\ntwo" },
        { "'one\\\ntwo'", "one\\\ntwo" },
        { "trailing\\ ", "trailing " },
        { "windows\r", "windows" },
        { "\"quoted\"\r", "quoted" },
        { "\"unclosed\nB=2", "unclosed\nB=2" },
        { "at the end\\", "at the end" },
        { "\u00e9\u4e16\U0001f642", "\u00e9\u4e16\U0001f642" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void An_environment_file_value_is_parsed_as_systemd_does(string text, string value)
    {
        Assert.Equal([new("A", value)], EnvironmentFile.Parse("A=" + text));
        Assert.Equal(value, EnvironmentFile.Parse("Z=0\nA=" + text + "\n")[1].Value.TrimEnd('\n'));
    }

    [Fact]
    public void Comments_and_lines_without_an_equals_sign_are_ignored() => Assert.Equal(
        [new("A", "1"), new("B", "2"), new("C", "3"), new("A", "4")],
        EnvironmentFile.Parse("# A=0\n  ; A=0\n\n   \nnothing\nA=1\n\tB = 2\r\n#x\\\nC=3\n=5\nA=4"));

    [Theory]
    [InlineData("1A=x")]
    [InlineData("A-B=x")]
    [InlineData("A B=x")]
    [InlineData("\u00c9=x")]
    [InlineData("export A=x")]
    public void An_invalid_variable_name_is_skipped(string text)
    {
        var ignored = new List<IgnoredLine>();
        Assert.Equal([new("Z", "1\n"), new("B", "y")], EnvironmentFile.Parse($"Z='1\n'\n#\n{text}\nB=y", ignored));
        Assert.Equal([new(4, null)], ignored);
    }

    [Fact]
    public void A_variable_that_listend_sets_is_skipped_and_named()
    {
        var ignored = new List<IgnoredLine>();
        var text = "LISTEN_FDS=1\nNOTIFY_ADMIN=me\n# LISTEN_PID=1\nNOTIFY_SOCKET='x\ny'\nLISTENER=web\nLISTEND_X=1\nWATCHDOG_USEC=1\n";
        Assert.Equal([new("NOTIFY_ADMIN", "me"), new("LISTENER", "web")], EnvironmentFile.Parse(text, ignored));
        Assert.Equal([new(1, "LISTEN_FDS"), new(4, "NOTIFY_SOCKET"), new(7, "LISTEND_X"), new(8, "WATCHDOG_USEC")], ignored);
    }

    /// <summary>An apostrophe in one value does not affect the variables after it.</summary>
    [Fact]
    public void A_quote_inside_a_value_does_not_start_a_string() =>
        Assert.Equal([new("A", "it's"), new("B", "2")], EnvironmentFile.Parse("A=it's\nB=2\n"));

    [Fact]
    public void Any_environment_file_text_is_parsed() =>
        Gen.String[Gen.Char["AB= \t\r\n'\"\\#;$x\0\u00e9"], 0, 60].Sample(text => EnvironmentFile.Parse(text), iter: 20_000);

    [Fact]
    public void A_value_in_single_quotes_round_trips() => Gen.String[Gen.Char.Where(c => c != '\'' && !char.IsSurrogate(c)), 0, 40].Sample(
        value => Assert.Equal([new("A", value), new("B", "2")], EnvironmentFile.Parse($"A='{value}'\nB=2")), iter: 2000);

    [Fact]
    public void An_optional_environment_file_can_be_missing()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["env"], "A=1\n");
        Assert.True(EnvironmentFile.TryRead(directory["env"], Own, out var read, out _));
        Assert.Single(read);
        Assert.True(EnvironmentFile.TryRead("-" + directory["missing"], Own, out var missing, out _));
        Assert.Empty(missing);
        Assert.True(EnvironmentFile.TryRead("-" + directory["no/directory"], Own, out _, out _));
        Assert.False(EnvironmentFile.TryRead(directory["missing"], Own, out _, out var error));
        Assert.Contains(directory["missing"], error, StringComparison.Ordinal);
        Assert.False(EnvironmentFile.TryRead(directory.Path, Own, out _, out _));
        KernelThread.AsNobody(() =>
        {
            Assert.False(EnvironmentFile.TryRead("-/proc/1/environ", Own, out _, out var refused));
            Assert.Contains("/proc/1/environ", refused, StringComparison.Ordinal);
        });
    }
}
