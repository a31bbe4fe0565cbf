using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>A listener received from a predecessor.</summary>
public sealed class RestoreTests : KernelTest
{
    /// <summary>
    /// systemd clears the flag on a socket unit's sockets before each start of the service, while running workers depend on it.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_option_that_another_process_cleared_is_set_again(bool wasSet)
    {
        using var former = Given.Listener("tcp://127.0.0.1:0");
        if (wasSet)
        {
            Assert.Null(Descriptors.SetNonBlocking(former.Descriptor!));
        }

        var entry = ListenerSnapshot.Of(former, null);
        Assert.Equal(wasSet, entry.IsNonBlocking);

        // The flag belongs to the open file. Another open file, with the flag clear, represents the one that systemd passes.
        using var passed = Given.Listener("tcp://127.0.0.1:0");
        Assert.False(Descriptors.IsNonBlocking(passed.Descriptor!));
        using var restored = Given.Factory().Restorer.Restore(
            entry, Descriptors.Duplicate(passed.Descriptor!, out _), HandleOrigin.Recovered, "execve", "continues");
        Assert.Equal(wasSet, Descriptors.IsNonBlocking(passed.Descriptor!));
        Assert.Equal(wasSet ? 1 : 0, restored.History.Entries.Count(step => step is
        {
            Phase: HandlePhase.Adopt, Call: "fcntl", Option: SocketChange.NonBlocking, Verdict: Verdict.Exact,
        }));
    }

    /// <summary>An upgrade of thousands of listeners asks for no inode number: this process has had the descriptor since before.</summary>
    [Theory]
    [InlineData(HandleOrigin.InheritedUpgrade, true, true)]
    [InlineData(HandleOrigin.InheritedUpgrade, false, false)]
    [InlineData(HandleOrigin.Recovered, true, false)]
    public void The_inode_number_is_that_of_the_state_only_after_an_upgrade(HandleOrigin origin, bool isRecorded, bool isOfState)
    {
        using var former = Given.Listener("tcp://127.0.0.1:0");
        using var passed = Given.Listener("tcp://127.0.0.1:0");
        var entry = ListenerSnapshot.Of(former, null);
        using var restored = Given.Factory().Restorer.Restore(
            isRecorded ? entry : entry with { Inode = 0 }, Descriptors.Duplicate(passed.Descriptor!, out _), origin, "execve", "continues");
        Assert.Equal((isOfState ? former : passed).Inode, restored.Inode);
    }
}
