using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Core.Tests.Listeners;

public class ReusePortGroupTests
{
    [Fact]
    public void Who_joins_is_last_and_the_last_takes_the_place_of_who_leaves()
    {
        var group = new ReusePortGroup(10, 11, 12);
        group.Join(13);
        group.Join(11);
        Assert.Equal([10UL, 11, 12, 13], group.Members);
        group.Leave(11);
        Assert.Equal([10UL, 13, 12], group.Members);
        Assert.Equal((1, -1), (group.PlaceOf(13), group.PlaceOf(11)));
        group.Leave(12);
        group.Leave(99);
        Assert.Equal([10UL, 13], group.Members);
    }

    [Fact]
    public void Where_the_tail_leaves_the_order_in_which_it_does_is_all_the_same()
    {
        var group = new ReusePortGroup(1, 2, 3, 4, 5, 6);
        foreach (var inode in new ulong[] { 4, 6, 3, 5 })
        {
            group.Leave(inode);
            Assert.Equal([1UL, 2], group.Members.Take(2));
        }
    }
}
