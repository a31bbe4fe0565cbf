using System.Globalization;
using Serilog;
using Supervisor.Core.State;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Continuity;

/// <summary>The keeper passes exactly the descriptors that it holds to a successor, also several in one packet.</summary>
public sealed class KeeperTests : KernelTest
{
    private static readonly string LongName = new('n', 200);

    private readonly TemporaryDirectory _directory = new();

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public void A_successor_gets_the_newest_descriptor_of_each_stored_key()
    {
        const int many = 50;
        var path = _directory["keeper.sock"];
        using var loop = new EventLoop(TimeProvider.System);
        var keeper = FdHolder.TryStart(loop, path, [], Log.Logger, out var error);
        Assert.True(keeper is not null, error);
        var pid = keeper.Pid;
        var pipes = Enumerable.Range(0, many).Select(_ => NewPipe()).ToList();
        using var newer = NewPipe();
        Assert.Equal(many, keeper.Put([.. pipes.Select((pipe, i) => KeyValuePair.Create(Key(i), pipe))]));
        Assert.Equal(1, keeper.Put([KeyValuePair.Create(Key(7), newer)]));
        keeper.Drop([.. Enumerable.Range(20, 25).Select(Key), "of/nobody"]);
        var expected = Enumerable.Range(0, many).Where(i => i is < 20 or >= 45).ToDictionary(Key, i => Inode(i == 7 ? newer : pipes[i]));
        pipes.ForEach(pipe => pipe.Dispose());
        keeper.Dispose();

        using var incoming = new IncomingDescriptors();
        FdHolder.TakeFrom(path, incoming);
        Assert.Equal(
            expected.OrderBy(pair => pair.Key, StringComparer.Ordinal),
            incoming.Remaining.Where(key => key != DescriptorKey.FdHolder)
                .Select(key => KeyValuePair.Create(key, Inode(incoming.Peek(key)!)))
                .OrderBy(pair => pair.Key, StringComparer.Ordinal));

        // The successor does not know the keeper's version before its reply, so it puts one descriptor at a time.
        var adopted = FdHolder.Adopt(loop, incoming.Take(DescriptorKey.FdHolder)!, Log.Logger);
        Assert.Equal(2, adopted.Put([KeyValuePair.Create("first", newer), KeyValuePair.Create("second", newer)]));
        adopted.Drop([.. expected.Keys]);
        adopted.Dispose();
        using var again = new IncomingDescriptors();
        FdHolder.TakeFrom(path, again);
        Assert.Equal(["first", DescriptorKey.FdHolder, "second"], again.Remaining.Order(StringComparer.Ordinal));
        Leave(loop, again, path, pid);
    }

    [Fact]
    public void A_key_that_is_too_long_affects_no_other_key()
    {
        var path = _directory["keeper.sock"];
        using var loop = new EventLoop(TimeProvider.System);
        using var keeper = FdHolder.TryStart(loop, path, [], Log.Logger, out _)!;
        using var pipe = NewPipe();
        keeper.Put([KeyValuePair.Create("one", pipe), KeyValuePair.Create(LongName + LongName, pipe), KeyValuePair.Create(LongName, pipe)]);
        keeper.Dispose();
        using var incoming = new IncomingDescriptors();
        FdHolder.TakeFrom(path, incoming);
        Assert.Equal([DescriptorKey.FdHolder, LongName, "one"], incoming.Remaining.Order(StringComparer.Ordinal));
        Leave(loop, incoming, path, keeper.Pid);
    }

    /// <summary>A successor brings all that it has again. Closing a listener takes a child of the keeper.</summary>
    [Fact]
    public void A_descriptor_that_is_put_again_stays_where_it_is()
    {
        const string key = "listener/web";
        var path = _directory["keeper.sock"];
        using var loop = new EventLoop(TimeProvider.System);
        var keeper = FdHolder.TryStart(loop, path, [], Log.Logger, out _)!;
        using var pipe = NewPipe();
        using var same = Descriptors.Duplicate(pipe, out _)!;
        using var first = NewPipe();
        using var second = NewPipe();
        keeper.Put([new(key, pipe)]);
        keeper.Put([new("first", first)]);
        NumbersOf(first, keeper.Pid);
        var held = NumbersOf(pipe, keeper.Pid);
        keeper.Put([new(key, same)]);
        keeper.Put([new("second", second)]);
        NumbersOf(second, keeper.Pid);
        Assert.Equal(held, NumbersOf(pipe, keeper.Pid));
        var pid = keeper.Pid;
        keeper.Dispose();
        using var incoming = new IncomingDescriptors();
        FdHolder.TakeFrom(path, incoming);
        Assert.Equal(Inode(pipe), Inode(incoming.Peek(key)!));
        Leave(loop, incoming, path, pid);
    }

    private static string Key(int number) => string.Create(CultureInfo.InvariantCulture, $"service/{LongName}/{number}/notify");

    /// <summary>The numbers by which a process has a pipe, as soon as it has it.</summary>
    private static string[] NumbersOf(DescriptorHandle pipe, int pid)
    {
        var target = string.Create(CultureInfo.InvariantCulture, $"pipe:[{Inode(pipe)}]");
        string[] numbers = [];
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                numbers = [.. Directory.EnumerateFiles($"/proc/{pid}/fd").Where(one => new FileInfo(one).LinkTarget == target)];
                return numbers.Length > 0;
            },
            TimeSpan.FromSeconds(20)));
        return numbers;
    }

    private static DescriptorHandle NewPipe()
    {
        Assert.Null(Files.Pipe(out var reader, out var writer));
        writer!.Dispose();
        return reader!;
    }

    private static ulong Inode(DescriptorHandle descriptor)
    {
        Assert.Null(Files.GetStatus(descriptor, out var status));
        return status.Inode;
    }

    private static void Leave(EventLoop loop, IncomingDescriptors incoming, string path, int pid)
    {
        using var pidfd = Processes.OpenPidfd(pid, out _)!;
        using (var last = FdHolder.Adopt(loop, incoming.Take(DescriptorKey.FdHolder)!, Log.Logger))
        {
            last.Dismiss(path);
        }

        Libc.WaitFor(pidfd);
        Assert.Equal(new Processes.Exit(false, 0, false), Processes.Reap(pidfd));
    }

    /// <summary>A worker has turned its listener into a connection that lingers, and the daemon drops it.</summary>
    [Theory]
    [InlineData("listener/web")]
    [InlineData("listener/web/1")]
    [InlineData("service/web/stored/0/0")]
    public void A_lingering_descriptor_does_not_block_the_keeper(string key)
    {
        using var directory = new TemporaryDirectory();
        using var loop = new EventLoop(TimeProvider.System);
        using var lingering = new Lingering();
        var path = directory["keeper.sock"];
        var keeper = FdHolder.TryStart(loop, path, [], Log.Logger, out var error);
        Assert.True(keeper is not null, error);
        lingering.Give(socket => Assert.Equal(1, keeper.Put([new(key, socket)])));
        keeper.Drop([key]);
        using var other = Loopback.Socket(2, 1);
        Assert.Equal(1, keeper.Put([new("listener/other", other)]));
        var pid = keeper.Pid;
        keeper.Dispose();

        // The daemon is dead, so the keeper hands over what it holds.
        using var incoming = new IncomingDescriptors();
        FdHolder.TakeFrom(path, incoming);
        using var held = incoming.Take("listener/other");
        Assert.NotNull(held);
        Leave(loop, incoming, path, pid);
    }
}
