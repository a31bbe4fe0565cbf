using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Tests.Listeners;

public class ReadBackTests
{
    [Fact]
    public void Verdicts()
    {
        Assert.Equal(Verdict.Inherited, ReadBack.Compare(SocketOptions.ReceiveBuffer, null, OptionValue.Of(131072)));
        Assert.Equal(Verdict.Exact, ReadBack.Compare(SocketOptions.NoDelay, OptionValue.Of(true), OptionValue.Of(1)));
        Assert.Equal(Verdict.Exact, ReadBack.Compare(SocketOptions.Congestion, OptionValue.Of("cubic"), OptionValue.Of("cubic")));
        Assert.Equal(Verdict.Exact, ReadBack.Compare(SocketOptions.Mark, OptionValue.Of(7), null));
        Assert.Equal(Verdict.Adjusted, ReadBack.Compare(SocketOptions.ReceiveBuffer, OptionValue.Of(4096), OptionValue.Of(8192)));
        Assert.Equal(Verdict.Adjusted, ReadBack.Compare(SocketOptions.Congestion, OptionValue.Of("bbr"), OptionValue.Of("cubic")));
        Assert.Equal(Verdict.Ignored, ReadBack.Compare(SocketOptions.KeepAlive, OptionValue.Of(true), OptionValue.Of(false)));
    }

    [Theory]
    [InlineData(4096, 8192, 212992L, "doubled")]
    [InlineData(1 << 20, 425984, 212992L, "capped by net.core.rmem_max = 212992, then doubled; raise the sysctl")]
    [InlineData(300000, 425984, null, "limited by the kernel")]
    [InlineData(100, 2304, 212992L, "raised to the kernel's minimum")]
    [InlineData(1, 2304, null, "raised to the kernel's minimum")]
    public void Buffers(int asked, int got, long? bound, string note) =>
        Assert.StartsWith(
            note,
            ReadBack.Explain(SocketOptions.ReceiveBuffer, OptionValue.Of(asked), OptionValue.Of(got), bound),
            StringComparison.Ordinal);

    [Fact]
    public void A_forced_buffer_is_doubled_beyond_the_cap() =>
        Assert.StartsWith(
            "doubled",
            ReadBack.Explain(SocketOptions.SendBufferForce, OptionValue.Of(1 << 20), OptionValue.Of(1 << 21), null),
            StringComparison.Ordinal);

    [Fact]
    public void Other_deviations_are_explained()
    {
        Assert.Contains("retransmissions", Explain(SocketOptions.DeferAccept, 10, 15), StringComparison.Ordinal);
        Assert.Equal("capped by net.core.somaxconn = 4096", Explain(SocketOptions.FastOpen, 9999, 4096, 4096));
        Assert.Contains("ECN", Explain(SocketOptions.TypeOfService, 3, 0), StringComparison.Ordinal);
        Assert.Contains("ECN", Explain(SocketOptions.TrafficClass, 3, 0), StringComparison.Ordinal);
        Assert.Equal("the kernel keeps another value", Explain(SocketOptions.NotSentLowWater, 1, 2));
        Assert.Null(Explain(SocketOptions.ReceiveBuffer, 5, 5));
        Assert.Null(ReadBack.Explain(SocketOptions.ReceiveBuffer, OptionValue.Of(5), null, null));
        Assert.Null(ReadBack.Explain(SocketOptions.Congestion, OptionValue.Of("a"), OptionValue.Of("b"), null));

        static string? Explain(SocketOption option, int asked, int got, long? bound = null) =>
            ReadBack.Explain(option, OptionValue.Of(asked), OptionValue.Of(got), bound);
    }

    [Theory]
    [InlineData(100, 100L, 4096L, null)]
    [InlineData(9999, 4096L, 4096L, "capped by net.core.somaxconn = 4096; raise the sysctl, then listenctl reload")]
    [InlineData(9999, 4096L, null, "capped by net.core.somaxconn = 4096; raise the sysctl, then listenctl reload")]
    [InlineData(100, null, 4096L, "this kernel does not show it")]
    [InlineData(9999, null, 4096L, "this kernel does not show it; net.core.somaxconn = 4096 caps it")]
    [InlineData(100, null, null, "this kernel does not show it")]
    public void Backlogs(int asked, long? got, long? somaxconn, string? note) =>
        Assert.Equal(note, ReadBack.ExplainBacklog(asked, got, somaxconn));
}
