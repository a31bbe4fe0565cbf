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
        Assert.True(Parse("WATCHDOG=trigger\nFDSTOREREMOVE=1\nFDNAME=a") is
        { IsHung: true, IsAlive: false, RemovesDescriptors: true, StoresDescriptors: false });
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

    /// <summary>One trailing NUL, LF and CR as ends of lines, and lines without "=" are allowed, as in systemd.</summary>
    [Theory]
    [InlineData("READY=1\r\nSTATUS=up\r\n")]
    [InlineData("READY=1\nSTATUS=up\0")]
    [InlineData("hello\nREADY=1\n\n=x\rSTATUS=up")]
    [InlineData("STATUS=up\nREADY=1\nSTATUS=down")]
    public void What_systemd_tolerates_is_tolerated(string text) =>
        Assert.True(Parse(text) is { IsReady: true, Status: "up" } message && !message.Problems().Any());

    [Fact]
    public void Only_a_field_that_is_not_UTF8_is_dropped()
    {
        byte[] data = [.. "STATUS=caf"u8, 0xE9, .. "\nREADY=1\nWATCHDOG=1"u8];
        Assert.True(NotifyMessage.TryParse(data, out var message, out _));
        Assert.True(message is { IsReady: true, IsAlive: true, Status: null });
        Assert.Equal("STATUS= is not UTF-8", Assert.Single(message.Problems()));
    }

    [Theory]
    [InlineData("MAINPID=x", "process id")]
    [InlineData("EXTEND_TIMEOUT_USEC=5s", "number")]
    [InlineData("WATCHDOG_USEC=-1", "number")]
    [InlineData("WATCHDOG=yes", "trigger")]
    [InlineData("NOTIFYACCESS=everyone", "main")]
    [InlineData("FDSTORE=1\nFDNAME=a:b", "FDNAME")]
    [InlineData("FDSTOREREMOVE=1", "FDNAME")]
    [InlineData("BARRIER=1\nREADY=1", "BARRIER")]
    public void A_bad_value_is_said_and_voids_only_its_field(string text, string problem)
    {
        var message = Parse(text + "\nX=1\nSTATUS=up");
        Assert.Contains(problem, Assert.Single(message.Problems()), StringComparison.Ordinal);
        Assert.Equal("up", message.Status);
    }

    [Fact]
    public void Numbers_have_the_forms_of_systemd()
    {
        Assert.Equal(
            [8, 8, 8, 8, 8],
            new[] { "8", " +8", "0x8", "010", "0b1000" }.Select(text => Parse("MAINPID=" + text).MainPid ?? 0));
        Assert.Null(Parse("MAINPID=08").MainPid);
    }

    [Fact]
    public void Stopping_wins_over_ready_and_removal_over_storing()
    {
        Assert.True(Parse("READY=1\nSTOPPING=1") is { IsReady: false, IsStopping: true });
        Assert.True(Parse("FDSTORE=1\nFDSTOREREMOVE=1\nFDNAME=a\nFDPOLL=0") is
        { StoresDescriptors: false, RemovesDescriptors: true, KeepsHungUp: true });
        Assert.True(Parse("NOTIFYACCESS=exec\nRESTART_RESET=1\nMAINPIDFDID=7") is
        { Access: NotifyAccess.Main, ResetsRestarts: true, MainPidfdId: 7ul });
    }

    private static NotifyMessage Parse(string text)
    {
        Assert.True(NotifyMessage.TryParse(Encoding.UTF8.GetBytes(text), out var message, out _));
        return message;
    }
}
