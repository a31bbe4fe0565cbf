using Supervisor.Native;

namespace Supervisor.Linux.Tests.Native;

public sealed class ProgramPagesTests
{
    [Fact]
    public void Released_pages_are_loaded_again_on_access()
    {
        // A test host maps megabytes of libraries; the calls below use pages that were just released.
        Assert.InRange(ProgramPages.Release(), 1 << 20, long.MaxValue);
        Assert.InRange(ProgramPages.Release(), 1 << 20, long.MaxValue);
        Assert.Equal("EADDRINUSE", ErrnoNames.Name(98));
    }
}
