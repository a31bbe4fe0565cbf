using System.Text;
using Supervisor.Core.Protocols;

namespace Supervisor.Core.Tests.Handoff;

/// <summary>The words of sd_notify(3).</summary>
public class NotifyMessageTests
{
    [Fact]
    public void Each_notify_field_is_recognised()
    {
        var message = Parse("READY=1\nMAINPID=42\nERRNO=2\nWATCHDOG=1\nWATCHDOG_USEC=20000000\nEXTEND_TIMEOUT_USEC=1500000\nFDSTORE=1\n"
            + "FDNAME=cache\nRELOADING=1\nMONOTONIC_USEC=5");
        Assert.True(message is { IsReady: true, IsAlive: true, IsHung: false, IsReloading: true });
        Assert.True(message is { StoresDescriptors: true, RemovesDescriptors: false });
        Assert.Equal((42, 2, "cache"), (message.MainPid, message.Errno, message.DescriptorName));
        Assert.Equal((TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1.5)), (message.WatchdogInterval, message.Extension));
        Assert.True(Parse(
            "WATCHDOG=trigger\nFDSTOREREMOVE=1") is { IsHung: true, IsAlive: false, RemovesDescriptors: true, StoresDescriptors: false });
    }

    [Theory]
    [InlineData("MAINPID=0")]
    [InlineData("MAINPID=-1")]
    [InlineData("MAINPID=4294967296")]
    [InlineData("ERRNO=-2")]
    [InlineData("ERRNO=100000")]
    [InlineData("WATCHDOG_USEC=1s")]
    [InlineData("EXTEND_TIMEOUT_USEC=")]
    [InlineData("EXTEND_TIMEOUT_USEC=99999999999999999999")]
    public void An_invalid_number_counts_as_absent(string text) =>
        Assert.True(Parse(text) is { MainPid: null, Errno: null, WatchdogInterval: null, Extension: null });

    [Fact]
    public void An_infinite_timeout_is_a_hundred_years() =>
        Assert.Equal(TimeSpan.FromDays(36500), Parse("EXTEND_TIMEOUT_USEC=18446744073709551615").Extension);

    private static NotifyMessage Parse(string text)
    {
        Assert.True(NotifyMessage.TryParse(Encoding.UTF8.GetBytes(text), out var message, out _));
        return message;
    }
}
