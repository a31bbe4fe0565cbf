using CsCheck;

namespace Supervisor.Config.Tests;

public sealed class PropertyTests
{
    private static readonly Gen<string> Tokens = Gen.OneOf(
        "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "'''", "\n", "\r", "\r\n", " ", "#", "\\u0000", "\\", "\t",
        "\0",
        "listener", "service", "daemon", "web", "address", "bind", "mark", "command", "environment", "multicast", "datagram", "group",
        "\"tcp://127.0.0.1:80\"", "\"udp://[::1]:0\"", "\"unix://@x\"", "[\"a\"]", "1", "-1", "1.5", "true", "nan", "1979-05-27",
        "99999999999999999999", "\"99999999999999h\"", "\"9223372036854775807TiB\"", "\ud800", "\udc00", "\U0001f642", "\ufeff", "é");

    [Fact]
    public void Arbitrary_text_never_throws() => Gen.String.Sample(Holds, iter: 5000);

    [Fact]
    public void Arbitrary_tokens_never_throw() => Tokens.Array[0, 60].Select(string.Concat).Sample(Holds, iter: 20000);

    /// <summary>Damage anywhere in a valid file is harmless or reported, and never an exception.</summary>
    [Fact]
    public void A_damaged_sample_never_throws()
    {
        var good = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Corpus", "full.toml"));
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Int[0, 20], Tokens)
            .Select((at, length, token) => good[..at] + token + good[Math.Min(good.Length, at + length)..])
            .Sample(Holds, iter: 3000);
    }

    [Theory]
    [InlineData("[", 100_000)]
    [InlineData("{a=", 100_000)]
    [InlineData("\"", 100_001)]
    public void Deep_nesting_is_an_error(string opening, int times) =>
        Assert.NotEmpty(Parsing.Parse("a = " + string.Concat(Enumerable.Repeat(opening, times))).Errors);

    [Fact]
    public void A_long_dotted_key_is_an_error() =>
        Assert.NotEmpty(Parsing.Parse("listener.a" + string.Concat(Enumerable.Repeat(".a", 50_000)) + " = 1").Errors);

    /// <summary>Tomlyn 2.10.2 throws if an escape sequence is incomplete or is half a surrogate pair.</summary>
    [Theory]
    [InlineData("a = \"\\")]
    [InlineData("a = \"\"\"\\")]
    [InlineData("a = \"\\\ud800\"")]
    public void A_broken_escape_sequence_is_an_error(string text) => Assert.Single(Parsing.Parse(text).Errors);

    private static bool Holds(string text)
    {
        var result = Parsing.Parse(text);
        return result.Errors.IsEmpty == result.Config is not null
            && result.Errors.All(e => e is { File: Parsing.File, Line: > 0, Column: > 0, Message.Length: > 0 });
    }
}
