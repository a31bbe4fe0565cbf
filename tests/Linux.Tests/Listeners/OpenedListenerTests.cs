using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>FIFOs, message queues, special files and netlink sockets of the real kernel.</summary>
public sealed class OpenedListenerTests : KernelTest
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string _queue = $"/listend-tests-{Environment.ProcessId}";

    public override void Dispose()
    {
        MessageQueues.Unlink(_queue);
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public void A_fifo_that_was_made_is_removed_and_one_that_existed_stays()
    {
        var factory = Given.Factory();
        var made = factory.Create(Given.Spec($"fifo://{_directory["made"]}", spec => spec with { Opened = new() { PipeSize = 5000 } }));
        Assert.Null(made.Failure);
        var size = Assert.Single(made.History.Entries, entry => entry.Option == "F_SETPIPE_SZ");
        Assert.Equal((Verdict.Adjusted, OptionValue.Of(8192)), (size.Verdict, size.Effective));
        Assert.False(Descriptors.IsNonBlocking(made.Descriptor!));
        var found = factory.Create(Given.Spec($"fifo://{_directory["made"]}"));
        factory.Close(found, removePath: true);
        Assert.Equal(["made"], _directory.Files);
        factory.Close(made, removePath: true);
        Assert.Empty(_directory.Files);
    }

    /// <summary>A reload opens the same FIFO again, for example because non_blocking has changed.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_fifo_that_two_listeners_share_is_removed_with_the_last(bool undo)
    {
        var factory = Given.Factory();
        var spec = Given.Spec($"fifo://{_directory["jobs"]}");
        var former = factory.Create(spec);
        var next = factory.Replacer.CreateBeside(
            former, spec with { Listen = new() { NonBlocking = true } }, spec.Address, [], rename: false);
        Assert.True(next.HasFileOf(former));
        var (closed, kept) = undo ? (next, former) : (former, next);
        factory.Replacer.Retire(closed, removePath: true, heir: kept);
        Assert.Equal(["jobs"], _directory.Files);
        factory.Close(kept, removePath: true);
        Assert.Empty(_directory.Files);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_queue_is_removed_only_if_that_is_configured(bool remove)
    {
        var factory = Given.Factory();
        var spec = Given.Spec($"mqueue://{_queue}", spec => spec with
        {
            Opened = new() { MaxMessages = 3, MessageSize = 64, RemoveOnStop = remove },
        });
        var handle = factory.Create(spec);
        Assert.Null(handle.Failure);
        Assert.Equal((0L, 3L), AcceptQueue.Read(handle.Descriptor!, ListenerKind.MessageQueue, handle.Inode));
        var next = factory.Replacer.CreateBeside(handle, spec, spec.Address, [], rename: false);
        factory.Replacer.Retire(handle, removePath: true, heir: next);
        factory.Close(next, removePath: true);
        using var there = MessageQueues.Open(_queue, out _);
        Assert.Equal(!remove, there is not null);
    }

    [Fact]
    public void Another_kind_of_file_is_refused_and_stays()
    {
        File.WriteAllText(_directory["file"], "");
        File.CreateSymbolicLink(_directory["link"], _directory["file"]);
        Assert.Equal("EEXIST", Given.Attempt($"fifo://{_directory["file"]}").Failure?.Name);
        Assert.Equal("EEXIST", Given.Attempt($"fifo://{_directory["link"]}").Failure?.Name);
        Assert.Equal("EEXIST", Given.Attempt($"special://{_directory["link"]}").Failure?.Name);
        Assert.Equal("ENOENT", Given.Attempt($"special://{_directory["none"]}").Failure?.Name);
        Assert.Equal(["file", "link"], _directory.Files.Order());
    }

    [Theory]
    [InlineData("netlink://route/1", "netlink://route/1")]
    [InlineData("netlink://15/3", "netlink://kobject-uevent/3")]
    [InlineData("special:///dev/null", "special:///dev/null")]
    public void What_needs_no_place_of_its_own_is_opened_and_adopted(string address, string effective)
    {
        using var handle = Given.Listener(address);
        Assert.Equal(effective, handle.Effective!.ToString());
        using var adopted = Given.Factory().Adopter.Adopt(
            Given.Spec(address), [Descriptors.Duplicate(handle.Descriptor!, out _)!], HandleOrigin.InheritedSystemd, null, "LISTEN_FDS");
        Assert.Null(adopted.Failure);
        Assert.Equal((handle.Inode, handle.Effective), (adopted.Inode, adopted.Effective));
    }

    [Fact]
    public void A_descriptor_of_another_file_is_not_adopted()
    {
        using var one = Given.Listener($"fifo://{_directory["one"]}");
        using var two = Given.Listener($"fifo://{_directory["two"]}");
        Assert.True(SocketIdentity.IsOf(one.Descriptor!, one.Spec.Address));
        Assert.False(SocketIdentity.IsOf(one.Descriptor!, two.Spec.Address));
        Assert.Equal(one.Spec.Address, SocketIdentity.Read(one.Descriptor!)!.Address);
        using var adopted = Given.Factory().Adopter.Adopt(
            two.Spec, [Descriptors.Duplicate(one.Descriptor!, out _)!], HandleOrigin.InheritedSystemd, null, "LISTEN_FDS");
        Assert.Equal("EINVAL", adopted.Failure?.Name);
    }
}
