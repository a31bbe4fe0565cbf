using Supervisor.Native;

namespace Supervisor.Linux.Tests.Native;

public sealed class ProgramPagesTests
{
    [Fact]
    public void Released_pages_are_loaded_again_on_access()
    {
        // A test host maps megabytes of libraries; each call below runs in pages that were just let go.
        Assert.InRange(ProgramPages.Release(), 1 << 20, long.MaxValue);
        Assert.InRange(ProgramPages.Release(), 1 << 20, long.MaxValue);
        Assert.Equal("EADDRINUSE", ErrnoNames.Name(98));
    }
}
