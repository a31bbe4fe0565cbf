using CsCheck;
using Supervisor.Config.Values;
using Supervisor.Core;

namespace Supervisor.Config.Tests;

public sealed class ValueTests
{
    [Theory]
    [InlineData("0s", 0)]
    [InlineData("500ms", 500)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1h1m1s1ms", 3_661_001)]
    [InlineData("5m", 300_000)]
    public void Durations(string text, long milliseconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
        Assert.Matches(Duration.Pattern, text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("30")]
    [InlineData("1.5s")]
    [InlineData("-1s")]
    [InlineData("1s1s")]
    [InlineData("1s1m")]
    [InlineData("1 s")]
    [InlineData("2d")]
    [InlineData("1S")]
    [InlineData("٣s")]
    [InlineData("999999999999h")]
    [InlineData("9999999999999ms")]
    public void Invalid_durations_are_rejected(string text) => Assert.False(Duration.TryParse(text, out _));

    [Fact]
    public void A_formatted_duration_parses_to_the_same_duration() => Gen.Long[0, 3_600_000_000].Sample(milliseconds =>
    {
        var duration = TimeSpan.FromMilliseconds(milliseconds);
        Assert.True(Duration.TryParse(Duration.Format(duration), out var again));
        Assert.Equal(duration, again);
    });

    [Theory]
    [InlineData("0B", 0)]
    [InlineData("64KiB", 65536)]
    [InlineData("1MiB", 1048576)]
    [InlineData("1GiB", 1073741824)]
    [InlineData("1KB", 1000)]
    [InlineData("2kB", 2000)]
    public void Sizes(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out var size));
        Assert.Equal(bytes, size);
        Assert.Matches(ByteSize.Pattern, text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("MiB")]
    [InlineData("1M")]
    [InlineData("-1KiB")]
    [InlineData("1 MiB")]
    [InlineData("8388608TiB")]
    [InlineData("99999999999999999999B")]
    public void Invalid_sizes_are_rejected(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Theory]
    [InlineData("SIGTERM", 15)]
    [InlineData("QUIT", 3)]
    [InlineData("SIGSYS", 31)]
    [InlineData("SIGRTMIN", 34)]
    [InlineData("RTMIN+3", 37)]
    [InlineData("SIGRTMAX-2", 62)]
    [InlineData("SIGRTMAX", 64)]
    public void Signals(string text, int number)
    {
        Assert.True(SignalName.TryParse(text, out var signal));
        Assert.Equal(number, signal);
        Assert.True(SignalName.TryParse(SignalName.Format(signal), out var again));
        Assert.Equal(number, again);
    }

    [Theory]
    [InlineData("15")]
    [InlineData("sigterm")]
    [InlineData("SIG")]
    [InlineData("")]
    [InlineData("SIGRTMIN+31")]
    [InlineData("SIGRTMIN-1")]
    [InlineData("SIGRTMIN+")]
    public void Invalid_signals_are_rejected(string text) => Assert.False(SignalName.TryParse(text, out _));

    [Theory]
    [InlineData("backlgo", "backlog")]
    [InlineData("back_log", "backlog")]
    [InlineData("wep", "web")]
    [InlineData("fast", "fast_open")]
    [InlineData("zzz", null)]
    [InlineData("", null)]
    public void A_misspelt_word_gets_the_nearest_suggestion(string word, string? expected) =>
        Assert.Equal(expected, Spelling.Nearest(word, ["web", "backlog", "fast_open"]));
}
