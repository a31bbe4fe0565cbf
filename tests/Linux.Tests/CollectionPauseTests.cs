using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Tests;

public class CollectionPauseTests
{
    [Fact]
    public void It_ends_by_itself_where_more_is_allocated_than_was_foreseen()
    {
        using (CollectionPause.For(1000, 1))
        {
            GC.Collect();
        }

        // As it does where there is none, or one already.
        using var none = CollectionPause.For(1, 1);
        using var first = CollectionPause.For(1000, 1);
        using var second = CollectionPause.For(1000, 1);
    }
}
