using Supervisor.Native;

namespace Supervisor.Linux.Tests.Native;

public sealed class ProgramPagesTests
{
    [Fact]
    public void What_is_let_go_comes_back_when_it_is_touched()
    {
        // A test host maps megabytes of libraries; each call below runs in pages that were just let go.
        Assert.InRange(ProgramPages.Release(), 1 << 20, long.MaxValue);
        Assert.InRange(ProgramPages.Release(), 1 << 20, long.MaxValue);
        Assert.Equal("EADDRINUSE", ErrnoNames.Name(98));
    }
}
