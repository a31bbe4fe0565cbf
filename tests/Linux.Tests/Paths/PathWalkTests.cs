using Supervisor.Linux.Paths;
using Supervisor.Linux.Tests.Kernel;

namespace Supervisor.Linux.Tests.Paths;

/// <summary>Which components of a path root trusts, tested on the real kernel: owners, modes, links, and concurrent renames.</summary>
public class PathWalkTests : KernelTest
{
    private const uint Nobody = 65534;
    private static readonly PathTrust Own = new([]);

    private readonly TemporaryDirectory _directory = new();

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public void A_root_folder_below_a_sticky_folder_is_trusted()
    {
        File.WriteAllText(_directory["file"], "x");
        using var walk = PathWalk.Of(_directory["file"], Own);
        Assert.Null(walk.FirstFlaw);
        Assert.Null(walk.Error);
        Assert.Equal(_directory["file"], walk.RealPath);
        Assert.True(walk.TargetStatus.IsRegular);
    }

    [Theory]
    [InlineData(0x1FD, 0u, 0u, PathFlaw.None)] // 0775 root:root
    [InlineData(0x1FD, 0u, 33u, PathFlaw.Group)] // 0775 root:www-data
    [InlineData(0x1FF, 0u, 0u, PathFlaw.Others)] // 0777
    [InlineData(0x3FF, 0u, 33u, PathFlaw.None)] // 1777
    [InlineData(0x1ED, Nobody, Nobody, PathFlaw.Owner)] // 0755 nobody
    [InlineData(0x1C0, Nobody, Nobody, PathFlaw.Owner)] // 0700 nobody
    public void A_folder_is_trusted_if_only_root_can_write(int mode, uint uid, uint gid, PathFlaw flaw)
    {
        Directory.CreateDirectory(_directory["a/b"]);
        Libc.ChangeOwner(_directory["a"], uid, gid);
        File.SetUnixFileMode(_directory["a"], (UnixFileMode)mode);
        using var walk = PathWalk.Of(_directory["a/b/new"], Own);
        Assert.Equal(flaw, walk.FirstFlaw?.Flaw ?? PathFlaw.None);
        Assert.True(walk.IsMissing);
        Assert.Null(walk.Error);
        if (flaw != PathFlaw.None)
        {
            Assert.Equal(_directory["a"], walk.FirstFlaw!.Path);
            Assert.Contains(_directory["a"], walk.FirstFlaw.Fault, StringComparison.Ordinal);
            Assert.StartsWith("ch", walk.FirstFlaw.Remedy("x"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_administrator_can_trust_another_owner()
    {
        Directory.CreateDirectory(_directory["a"]);
        Libc.ChangeOwner(_directory["a"], Nobody, Nobody);
        using var walk = PathWalk.Of(_directory["a/x"], new PathTrust(["nobody"]));
        Assert.Null(walk.FirstFlaw);
        using var group = PathWalk.Of(_directory["a"], new PathTrust(["no-such-user", "daemon"]));
        Assert.Equal(PathFlaw.Owner, group.FirstFlaw?.Flaw);
        File.SetUnixFileMode(_directory["a"], (UnixFileMode)0x1FD);
        using var writable = PathWalk.Of(_directory["a/x"], new PathTrust(["65534"]));
        Assert.Null(writable.FirstFlaw);
    }

    [Fact]
    public void A_path_walk_follows_and_names_links()
    {
        Directory.CreateDirectory(_directory["releases/3"]);
        File.WriteAllText(_directory["releases/3/env"], "");
        File.CreateSymbolicLink(_directory["current"], "releases/3");
        File.CreateSymbolicLink(_directory["absolute"], _directory["current"]);
        using var walk = PathWalk.Of(_directory["absolute/../3/./env"], Own);
        Assert.Equal(_directory["releases/3/env"], walk.RealPath);
        Assert.Null(walk.FirstFlaw);
        Assert.Equal($" ({_directory["absolute"]} -> {_directory["current"]}, {_directory["current"]} -> releases/3)", walk.Links);

        // Another user's link, in a directory that every user may write to.
        File.SetUnixFileMode(_directory.Path, (UnixFileMode)0x3FF);
        Libc.ChangeOwner(_directory["current"], Nobody, Nobody);
        using var foreign = PathWalk.Of(_directory["current/env"], Own);
        Assert.Equal((PathFlaw.Owner, "releases/3"), (foreign.FirstFlaw!.Flaw, foreign.FirstFlaw.Target));
    }

    [Theory]
    [InlineData("loop", "ELOOP")]
    [InlineData("file/below", "ENOTDIR")]
    [InlineData("no/such", "ENOENT")]
    public void A_failed_path_walk_names_the_cause(string path, string errno)
    {
        File.CreateSymbolicLink(_directory["loop"], "loop");
        File.WriteAllText(_directory["file"], "");
        using var walk = PathWalk.Of(_directory[path], Own);
        Assert.Equal(errno, walk.Error?.Name);
        Assert.Null(walk.Target);
    }

    [Theory]
    [InlineData("/", "/")]
    [InlineData("/..", "/")]
    [InlineData("//usr/./bin/..", "/usr")]
    public void A_path_walk_resolves_dots(string path, string real)
    {
        using var walk = PathWalk.Of(path, Own);
        Assert.Equal(real, walk.RealPath);
        Assert.NotNull(walk.Target);
    }

    [Fact]
    public void A_link_to_the_root_resolves_to_the_root()
    {
        File.CreateSymbolicLink(_directory["root"], "/");
        using var walk = PathWalk.Of(_directory["root"], Own);
        Assert.Equal("/", walk.RealPath);
        using var below = PathWalk.Of(_directory["root/usr"], Own);
        Assert.Equal("/usr", below.RealPath);
    }

    [Fact]
    public void A_proc_link_to_a_deleted_file_resolves_to_nothing()
    {
        using var file = File.OpenHandle(_directory["file"], FileMode.Create, FileAccess.Write);
        using var walk = PathWalk.Of($"/proc/self/fd/{file.DangerousGetHandle()}", Own);
        Assert.Equal(_directory["file"], walk.RealPath);
        File.Delete(_directory["file"]);
        using var gone = PathWalk.Of($"/proc/self/fd/{file.DangerousGetHandle()}", Own);
        Assert.Null(gone.Target);
    }

    /// <summary>A directory is constantly swapped with a link to another one: the walk uses exactly what it judged.</summary>
    [Fact]
    public void A_rename_does_not_exchange_the_checked_file()
    {
        Directory.CreateDirectory(_directory["mine"]);
        Directory.CreateDirectory(_directory["secret"]);
        File.WriteAllText(_directory["mine/file"], "mine");
        File.WriteAllText(_directory["secret/file"], "secret");
        Libc.ChangeOwner(_directory["mine"], Nobody, Nobody);
        File.CreateSymbolicLink(_directory["other"], "secret");
        using var stop = new CancellationTokenSource();
        var renames = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Supervisor.Native.Files.Exchange(_directory["mine"], _directory["other"]);
            }
        });
        renames.Start();
        var seen = new HashSet<bool>();
        try
        {
            for (var i = 0; i < 4000; i++)
            {
                using var walk = PathWalk.Of(_directory["mine/file"], Own);
                if (walk.Target is null)
                {
                    continue;
                }

                using var file = TrustedFile.OpenToRead(walk, out _);
                var content = new byte[16];
                var length = Supervisor.Native.Files.Read(file!, content, out _);
                var isSecret = System.Text.Encoding.ASCII.GetString(content, 0, length) == "secret";
                Assert.Equal(isSecret, walk.RealPath == _directory["secret/file"]);
                Assert.Equal(isSecret, walk.FirstFlaw is null);
                seen.Add(isSecret);
            }
        }
        finally
        {
            stop.Cancel();
            renames.Join();
        }

        Assert.NotEmpty(seen);
    }

    [Fact]
    public void A_directory_is_created_only_where_only_root_can_write()
    {
        using (var made = PathWalk.MakeDirectories(_directory["a/b/c"], Own, 0x1ED))
        {
            Assert.Null(made.FirstFlaw);
            Assert.NotNull(made.Target);
        }

        Directory.CreateDirectory(_directory["theirs"]);
        Libc.ChangeOwner(_directory["theirs"], Nobody, Nobody);
        using var refused = PathWalk.MakeDirectories(_directory["theirs/run"], Own, 0x1ED);
        Assert.NotNull(refused.FirstFlaw);
        Assert.False(Directory.Exists(_directory["theirs/run"]));
    }
}
