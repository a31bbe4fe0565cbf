using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Workers;

public class SignalMasksTests
{
    [Fact]
    public void The_masks_are_read_from_the_status_of_a_process()
    {
        var masks = SignalMasks.Parse(
            "Name:\tx\nSigQ:\t0/1\nSigBlk:\t0000000000000200\nSigIgn:\t0000000000001000\nSigCgt:\t8000000000004001\n"u8);
        Assert.Equal(new SignalMasks(0x200, 0x1000, 0x8000000000004001), masks);
        Assert.All([1, 10, 13, 15, 64], signal => Assert.True(masks!.Value.Handles(signal)));
        Assert.All([2, 9, 12, 14, 34], signal => Assert.False(masks!.Value.Handles(signal)));
    }

    [Fact]
    public void No_process_handles_a_kill_or_a_stop() =>
        Assert.All([9, 19], signal => Assert.False(new SignalMasks(0, ulong.MaxValue, ulong.MaxValue).Handles(signal)));

    [Fact]
    public void A_name_cannot_forge_a_mask() => Assert.Null(SignalMasks.Parse("Name:\tSigCgt:\tffffffffffffffff\n"u8));

    [Theory]
    [InlineData("HUP", SignalAction.Ends)]
    [InlineData("USR1", SignalAction.Ends)]
    [InlineData("PWR", SignalAction.Ends)]
    [InlineData("RTMIN+3", SignalAction.Ends)]
    [InlineData("32", SignalAction.Ends)]
    [InlineData("CHLD", SignalAction.None)]
    [InlineData("WINCH", SignalAction.None)]
    [InlineData("URG", SignalAction.None)]
    [InlineData("CONT", SignalAction.None)]
    [InlineData("STOP", SignalAction.Stops)]
    [InlineData("TTOU", SignalAction.Stops)]
    public void Each_signal_has_its_default_action(string signal, SignalAction action) =>
        Assert.Equal(action, Signals.DefaultAction(Signals.Parse(signal)!.Value));
}
