namespace Supervisor.Config.Tests;

public sealed class FilesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("listend-config-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Drop_ins_follow_the_main_file_in_ordinal_order()
    {
        Write("listend.toml", "a");
        Write("conf.d/b.toml", "b");
        Write("conf.d/B.toml", "B");
        Write("conf.d/10.toml", "10");
        Write("conf.d/9.toml", "9");
        Write("conf.d/.hidden.toml", "");
        Write("conf.d/c.toml.bak", "");
        var result = ConfigFiles.Read(At("listend.toml"));
        Assert.Empty(result.Errors);
        Assert.Equal(["a", "10", "9", "B", "b"], result.Sources.Select(s => s.Text));
        Assert.Equal(At("conf.d/10.toml"), result.Sources[1].Path);
    }

    [Fact]
    public void An_unreadable_file_is_named_with_its_cause_and_a_remedy()
    {
        Directory.CreateDirectory(At("conf.d/x.toml"));
        Write("conf.d/y.toml", "y");
        File.WriteAllBytes(At("conf.d/z.toml"), [0x61, 0xff]);
        var result = ConfigFiles.Read(At("missing.toml"));
        Assert.Equal("y", Assert.Single(result.Sources).Text);
        Assert.Equal(
            [
                $"{At("missing.toml")}: cannot be read: ENOENT, there is no such file; create it, or name another with --config",
                $"{At("conf.d/x.toml")}: cannot be read: EISDIR, it is a folder; move its files to conf.d, or rename it",
                $"{At("conf.d/z.toml")}: the file is not UTF-8: byte 1 is not part of a character; save it as UTF-8",
            ],
            result.Errors.Select(e => e.ToString()));
        Assert.Contains("EISDIR", ConfigFiles.Read(At("conf.d")).Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains(
            "its folder does not exist", Assert.Single(ConfigFiles.Read(At("no/missing.toml")).Errors).Message, StringComparison.Ordinal);
        Assert.NotEmpty(ConfigFiles.Read("").Errors);
        Assert.Single(ConfigFiles.Read("a\0b").Errors);
    }

    [Fact]
    public void A_drop_in_folder_that_is_not_a_folder_is_an_error()
    {
        Write("main.toml", "main");
        Write("conf.d", "text");
        Assert.Equal(
            $"{At("conf.d")}: cannot be read: ENOTDIR, it is not a folder; "
                + "move the settings to a file such as conf.d/10-more.toml, or rename it",
            Assert.Single(ConfigFiles.Read(At("main.toml")).Errors).ToString());
        File.Delete(At("conf.d"));
        File.CreateSymbolicLink(At("conf.d"), "conf.d");
        Assert.Contains("ELOOP", Assert.Single(ConfigFiles.Read(At("main.toml")).Errors).Message, StringComparison.Ordinal);
        File.Delete(At("conf.d"));
        File.CreateSymbolicLink(At("conf.d"), "nowhere");
        Assert.Contains(
            "a symlink to \"nowhere\"", Assert.Single(ConfigFiles.Read(At("main.toml")).Errors).Message, StringComparison.Ordinal);
    }

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
    }
}
