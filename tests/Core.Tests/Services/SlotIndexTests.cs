using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

public sealed class SlotIndexTests
{
    [Fact]
    public void The_workers_of_a_slot_are_those_of_the_state_that_is_asked()
    {
        var first = State(Worker(1, 0), Worker(2, 3), Worker(3, 0));
        Assert.Equal([1, 3], Ids(first, 0));
        var second = first with { Workers = [.. first.Workers, Worker(4, 0)] };
        Assert.Equal([1, 3, 4], Ids(second, 0));
        Assert.Equal([1, 3], Ids(first, 0));
        Assert.Equal([2], Ids(second, 3));
        Assert.Empty(Ids(second, 1));
        Assert.Empty(Ids(second, 9));
    }

    [Fact]
    public void What_was_computed_is_not_a_part_of_the_states_value()
    {
        var state = State(Worker(1, 0));
        var copy = state with { };
        Assert.Equal([1], Ids(state, 0));
        Assert.Equal(copy, state);
        Assert.Equal(copy.GetHashCode(), state.GetHashCode());
    }

    private static ServiceState State(params WorkerState[] workers) =>
        ServiceState.Create(new ServiceSpec { Name = "s", Command = ["true"] }) with { Workers = [.. workers] };

    private static int[] Ids(ServiceState state, int slot) => [.. state.WorkersOf(slot).Select(worker => worker.Id)];

    private static WorkerState Worker(int id, int slot) =>
        new() { Id = id, Slot = slot, Generation = 1, Phase = WorkerPhase.Starting, StartedAt = TimeSpan.Zero };
}
