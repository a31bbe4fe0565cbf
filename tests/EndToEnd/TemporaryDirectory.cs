namespace Supervisor.EndToEnd;

/// <summary>A test's own directory, with a path short enough for UNIX sockets. It is deleted at the end.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private const UnixFileMode Everybody =
        UnixFileMode.OtherRead | UnixFileMode.OtherExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ld-");

    public TemporaryDirectory() => File.SetUnixFileMode(Path, Owner | Everybody);

    /// <summary>The path.</summary>
    public string Path => _directory.FullName;

    /// <summary>A path in the directory.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file and returns its path.</summary>
    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>Writes an executable file and returns its path.</summary>
    public string WriteScript(string name, string text)
    {
        Write(name, text);
        File.SetUnixFileMode(this[name], Owner | Everybody);
        return this[name];
    }

    /// <summary>Waits until a file exists. Its writer renames it into place, so it is complete.</summary>
    public async Task<string> ReadWhenThereAsync(string name)
    {
        using var watcher = new FileSystemWatcher(Path, name);
        var there = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Created += (_, _) => there.TrySetResult();
        watcher.Renamed += (_, _) => there.TrySetResult();
        watcher.EnableRaisingEvents = true;
        if (!File.Exists(this[name]))
        {
            await there.Task.WaitAsync(Patience.Limit);
        }

        return (await File.ReadAllTextAsync(this[name])).Trim();
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);
}
