using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Core.Tests.Listeners;

public class ReusePortGroupTests
{
    [Fact]
    public void The_last_socket_takes_the_place_of_a_removed_socket()
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
    public void The_order_in_which_tail_sockets_close_does_not_matter()
    {
        var group = new ReusePortGroup(1, 2, 3, 4, 5, 6);
        foreach (var inode in new ulong[] { 4, 6, 3, 5 })
        {
            group.Leave(inode);
            Assert.Equal([1UL, 2], group.Members.Take(2));
        }
    }
}
