namespace Supervisor.Core.Tests;

public class DurationTests
{
    [Theory]
    [InlineData(0, "0us")]
    [InlineData(0.25, "250us")]
    [InlineData(1, "1ms")]
    [InlineData(2.5, "2.5ms")]
    [InlineData(500, "500ms")]
    [InlineData(1000, "1s")]
    [InlineData(1500, "1.5s")]
    [InlineData(30_000, "30s")]
    [InlineData(60_000, "1m")]
    [InlineData(300_000, "5m")]
    [InlineData(61_000, "1m1s")]
    [InlineData(3_600_000, "1h")]
    [InlineData(5_400_000, "1h30m")]
    [InlineData(90_000_000, "25h")]
    public void Rounds(double milliseconds, string expected) =>
        Assert.Equal(expected, Duration.Rounded(TimeSpan.FromMilliseconds(milliseconds)));
}
