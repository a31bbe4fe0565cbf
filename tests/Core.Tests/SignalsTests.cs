using CsCheck;

namespace Supervisor.Core.Tests;

public class SignalsTests
{
    [Theory]
    [InlineData("SIGTERM", 15)]
    [InlineData("TERM", 15)]
    [InlineData("sigterm", 15)]
    [InlineData("15", 15)]
    [InlineData("64", 64)]
    [InlineData("SIGRTMIN", 34)]
    [InlineData("RTMIN+3", 37)]
    [InlineData("SIGRTMIN+30", 64)]
    [InlineData("SIGRTMIN+31", null)]
    [InlineData("SIGRTMIN+2147483647", null)]
    [InlineData("SIGRTMIN-1", null)]
    [InlineData("RTMAX", 64)]
    [InlineData("sigrtmax-3", 61)]
    [InlineData("RTMAX-30", 34)]
    [InlineData("RTMAX-31", null)]
    [InlineData("RTMAX+1", null)]
    [InlineData("SIGRTMIN+", null)]
    [InlineData("0", null)]
    [InlineData("65", null)]
    [InlineData("-15", null)]
    [InlineData("SIG", null)]
    [InlineData("", null)]
    [InlineData("SIGNONE", null)]
    public void Parse(string text, int? expected) => Assert.Equal(expected, Signals.Parse(text));

    [Fact]
    public void Every_signal_name_parses_to_its_number()
    {
        Assert.All(
            Enumerable.Range(1, 31).Concat(Enumerable.Range(34, 31)),
            signal => Assert.Equal(signal, Signals.Parse(Signals.Name(signal))));
        Assert.Equal("signal 32", Signals.Name(32));
    }

    [Fact]
    public void Every_text_that_parses_is_a_signal() =>
        Gen.OneOf(Gen.String, Gen.Long.Select(number => "SIGRTMIN+" + number))
            .Sample(text => Signals.Parse(text) is null or (>= 1 and <= 64), iter: Iterations.Of(2_000));
}
