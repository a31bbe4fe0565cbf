using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Daemon.Validation;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Compares the configuration files with what was loaded, when a client asks. Reads files, and a disk can be slow: any thread but the
/// loop's. However many clients ask, one thread reads.
/// </summary>
/// <param name="file">The main file; null without one.</param>
/// <param name="time">The clock.</param>
internal sealed class ConfigFileCheck(string? file, TimeProvider time)
{
    /// <summary>For how long an answer waits for the disk.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly SharedAnswer<ConfigFilesResult> _read = new(
        () => Task.Run(() => ConfigFiles.Read(file!, PathAudit.ConfigOpener())), TimeSpan.Zero, time);

    /// <summary>The document with what the files are now.</summary>
    public async Task<DaemonDocument> FillAsync(DaemonDocument daemon) =>
        file is null || daemon.Config is not { } config ? daemon : daemon with { Config = await CompareAsync(config) };

    /// <summary>Whether the files differ from the configuration with that hash; null if that is not known.</summary>
    public async Task<bool?> DiffersAsync(string? hash) =>
        file is null ? false : hash is not null && (await ReadAsync())?.Hash is { } read ? read != hash : null;

    private async Task<ConfigDocument> CompareAsync(ConfigDocument config) => await ReadAsync() is not { } read
        ? config with { Differs = null, FileError = $"{file}: not read within {Patience.TotalSeconds} s" }
        : config with
        {
            // A daemon of an older version has loaded the configuration without a hash.
            Differs = read.Hash is not null && config.Hash is null ? null : read.Hash != config.Hash,
            FileError = read.Hash is null ? read.Errors.FirstOrDefault()?.ToString() : null,
        };

    /// <summary>The files as they are now; null if the disk does not answer in time.</summary>
    private async Task<ConfigFilesResult?> ReadAsync()
    {
        try
        {
            return await _read.AskAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }
}
