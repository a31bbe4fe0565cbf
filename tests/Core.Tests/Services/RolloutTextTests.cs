using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

public class RolloutTextTests
{
    private static readonly RolloutFigures Figures = new("replacing", 1, 2, 1, 4, TimeSpan.FromSeconds(3));

    [Theory]
    [InlineData("replacing", null, "replacing, generation 2: 1 of 4 replaced, 1 draining with 3 connections")]
    [InlineData("rolling-back", "why", "rolling-back, generation 2: 1 of 4 replaced, 1 draining with 3 connections: why")]
    [InlineData("done", null, "generation 2 serves, 1 worker replaced in 3s")]
    [InlineData("rolled-back", "why", "generation 2 rolled back to generation 1 after 3s: why")]
    [InlineData("failed", "why", "roll-out of generation 2 failed after 3s: why")]
    [InlineData("superseded", "why", "roll-out of generation 2 superseded after 3s: why")]
    public void Each_roll_out_state_has_its_text(string state, string? reason, string text) =>
        Assert.Equal(text, RolloutText.Of(Figures with { State = state, Reason = reason, Draining = 1, DrainingConnections = 3 }));

    [Fact]
    public void The_roll_out_text_ends_with_what_it_waits_for() =>
        Assert.Equal(
            "canary, generation 2: 1 of 4 replaced; it is promoted in 5s",
            RolloutText.Of(Figures with { State = "canary", Waits = "it is promoted in 5s" }));
}
