namespace Supervisor.Core.Tests;

public class PrintableTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("listener web: café 漢字 🙂", "listener web: café 漢字 🙂")]
    [InlineData("C:\\x1B is text", "C:\\x1B is text")]
    [InlineData("\u001b]0;evil\u0007", "\\x1B]0;evil\\x07")]
    [InlineData("one\r\ntwo\tthree\0", "one\\r\\ntwo\\tthree\\x00")]
    [InlineData("\u007f\u0085\u009b2J", "\\x7F\\x85\\x9B2J")]
    [InlineData("abc\u202etxt.exe", "abc\\u202Etxt.exe")]
    [InlineData("\u200e\u200f\u202a\u202b\u202c\u202d", "\\u200E\\u200F\\u202A\\u202B\\u202C\\u202D")]
    [InlineData("\u2066\u2067\u2068\u2069\u061c", "\\u2066\\u2067\\u2068\\u2069\\u061C")]
    [InlineData("a\u2028b\u2029c", "a\\u2028b\\u2029c")]
    [InlineData("w\u200be\u200cb\u200d\u2060\ufeff\u00ad", "w\\u200Be\\u200Cb\\u200D\\u2060\\uFEFF\\xAD")]
    [InlineData("\U000e0041", "\\U000E0041")]
    public void A_printed_line_cannot_control_a_terminal(string text, string line) => Assert.Equal(line, Printable.Line(text));

    /// <summary>Not as theory data, which is handed over as UTF-8.</summary>
    [Fact]
    public void Halves_of_surrogate_pairs_are_escaped() =>
        Assert.Equal("a\\uD83Db\\uDE42", Printable.Line("a" + '\ud83d' + "b" + '\ude42'));

    [Theory]
    [InlineData("one\ntwo\tthree\u001b[2J\r", false, "one two three\\x1B[2J\\r")]
    [InlineData("one\ntwo\tthree\u202e", true, "one\ntwo three\\u202E")]
    public void Control_characters_on_a_screen_become_spaces_or_lines(string text, bool keepLines, string shown) =>
        Assert.Equal(shown, Printable.Of(text, keepLines));

    [Fact]
    public void Every_character_is_either_shown_or_escaped()
    {
        for (var value = 0; value <= char.MaxValue; value++)
        {
            var line = Printable.Line("<" + (char)value + ">");
            Assert.DoesNotContain(line, char.IsControl);
            Assert.DoesNotContain(line, char.IsSurrogate);
            Assert.DoesNotContain(line, one => char.GetUnicodeCategory(one) is System.Globalization.UnicodeCategory.Format
                or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator);
        }
    }

    [Fact]
    public void Text_without_control_characters_is_not_copied()
    {
        const string text = "listener web: listening on tcp://127.0.0.1:80";
        Assert.Same(text, Printable.Line(text));
    }
}
