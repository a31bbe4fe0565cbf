using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>A UNIX listener in a directory of the worker's user, who swaps directories and links while root binds there.</summary>
public class ForeignFolderTests : KernelTest
{
    private const uint Nobody = 65534;
    private readonly TemporaryDirectory _directory = new();

    public ForeignFolderTests()
    {
        Directory.CreateDirectory(_directory["theirs/run"]);
        Libc.ChangeOwner(_directory["theirs"], Nobody, Nobody);
        Libc.ChangeOwner(_directory["theirs/run"], Nobody, Nobody);
        Directory.CreateDirectory(_directory["secret"]);
    }

    private string Address => $"unix://{_directory["theirs/run/s"]}";

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public void A_socket_in_a_foreign_folder_belongs_to_the_daemon()
    {
        var factory = Given.Factory();
        using var handle = factory.Create(Given.Spec(Address, spec => spec with { Unix = new() { Mode = 0x1B0, Group = "www-data" } }));
        Assert.True(handle.Failure is null, handle.Failure?.ToString());
        Assert.Equal(Address, handle.EffectiveText);
        Assert.Null(Files.GetStatus(_directory["theirs/run/s"], out var status));
        Assert.Equal((0u, 0x1B0, true), (status.Uid, status.Permissions, status.IsSocket));
        using (Loopback.Connect(Given.Address(Address)))
        {
        }

        factory.Close(handle, removePath: true);
        Assert.Empty(Directory.GetFileSystemEntries(_directory["theirs/run"]));
    }

    [Fact]
    public void A_stale_socket_in_a_foreign_folder_is_removed()
    {
        var factory = Given.Factory();
        using (var before = factory.Create(Given.Spec(Address)))
        {
            factory.Close(before, removePath: false);
        }

        using var handle = factory.Create(Given.Spec(Address, spec => spec with { Unix = new() { RemoveStale = true } }));
        Assert.True(handle.Failure is null, handle.Failure?.ToString());
    }

    [Fact]
    public void A_folder_link_cannot_escape_its_owners_permissions()
    {
        Directory.Delete(_directory["theirs/run"]);
        File.CreateSymbolicLink(_directory["theirs/run"], _directory["secret"]);
        using var handle = Given.Attempt(Address);
        Assert.Equal("EACCES", handle.Failure?.Name);
        Assert.Empty(Directory.GetFileSystemEntries(_directory["secret"]));
    }

    [Fact]
    public void A_group_writable_folder_is_rejected_with_the_remedy()
    {
        Libc.ChangeOwner(_directory["theirs"], 0, Nobody);
        File.SetUnixFileMode(_directory["theirs"], (UnixFileMode)0x1FD);
        using var handle = Given.Attempt(Address);
        Assert.Equal("EACCES", handle.Failure?.Name);
        Assert.Contains($"chmod g-w {_directory["theirs"]}", handle.Failure!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_exchange_of_folders_during_the_bind_gains_nothing()
    {
        File.CreateSymbolicLink(_directory["theirs/other"], _directory["secret"]);
        using var stop = new CancellationTokenSource();
        var renames = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Files.Exchange(_directory["theirs/run"], _directory["theirs/other"]);
            }
        });
        renames.Start();
        try
        {
            var factory = Given.Factory();
            for (var i = 0; i < 200; i++)
            {
                using var handle = factory.Create(
                    Given.Spec(Address, spec => spec with { Unix = new() { Mode = 0x1FF, User = "nobody", RemoveStale = true } }));
                factory.Close(handle, removePath: true);
            }
        }
        finally
        {
            stop.Cancel();
            renames.Join();
        }

        Assert.Empty(Directory.GetFileSystemEntries(_directory["secret"]));
        Assert.Null(Files.GetStatus(_directory["secret"], out var status));
        Assert.Equal((0u, 0x1ED), (status.Uid, status.Permissions));
    }
}
