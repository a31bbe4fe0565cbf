using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>What a recovery does with the file of a former socket that the killed daemon still had.</summary>
public class AsideFileTests : KernelTest
{
    private readonly TemporaryDirectory _directory = new();

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_former_sockets_file_is_removed_whichever_of_the_two_has_the_path(bool hasFormerPath)
    {
        var factory = Given.Factory();
        var spec = Given.Spec($"unix://{_directory["s"]}");
        using var former = factory.Create(spec);
        using var own = factory.Replacer.CreateBeside(former, spec, spec.Address, [], rename: true);
        var bridge = PathBridge.Between(former, own)!;
        if (hasFormerPath)
        {
            bridge.Steer(former);
        }

        var entry = ListenerSnapshot.Of(own, null);
        Assert.Equal(2, _directory.Files.Count());
        using var restored = factory.Restorer.Restore(
            entry, Descriptors.Duplicate(own.Descriptor!, out _), HandleOrigin.Recovered, "recvmsg", "recovered");
        Assert.Equal(["s"], _directory.Files);
        Assert.Null(Files.GetStatus(_directory["s"], out var status));
        Assert.Equal(entry.PathInode, status.Inode);
        Assert.Null(ListenerSnapshot.Of(restored, null).Aside);
    }

    [Fact]
    public void A_former_socket_that_is_closed_is_not_in_the_state()
    {
        var factory = Given.Factory();
        var spec = Given.Spec($"unix://{_directory["s"]}");
        using var former = factory.Create(spec);
        using var own = factory.Replacer.CreateBeside(former, spec, spec.Address, [], rename: true);
        var before = ListenerSnapshot.Fingerprint(own, null);
        PathBridge.Between(former, own)!.End(own);
        Assert.Null(ListenerSnapshot.Of(own, null).Aside);
        Assert.NotEqual(before, ListenerSnapshot.Fingerprint(own, null));
        Assert.Equal(["s"], _directory.Files);
    }
}
