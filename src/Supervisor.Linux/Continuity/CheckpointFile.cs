using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// A checkpoint that is being written, next to the one in force, with the journal that will follow it. Both become the ones in force
/// together: a reader takes the journal that names the checkpoint, whichever of its two names it has.
/// </summary>
internal sealed class CheckpointFile : ChecksummedStream
{
    private readonly string _path;

    private CheckpointFile(string path, DescriptorHandle file, DescriptorHandle journal)
        : base(file)
    {
        _path = path;
        Journal = new JournalFile(journal);
    }

    /// <summary>What follows the checkpoint's name while it is not in force.</summary>
    public const string Suffix = ".new";

    /// <summary>The journal, which belongs to the caller after <see cref="Commit"/>.</summary>
    public JournalFile Journal { get; }

    /// <summary>Creates both files; null with the reason. What a daemon left that died during a write is replaced.</summary>
    public static CheckpointFile? Create(string path, string journalPath, int mode, out string? error)
    {
        var file = CreateNew(path + Suffix, mode, out error);
        var journal = file is null ? null : CreateNew(journalPath + Suffix, mode, out error);
        if (journal is not null)
        {
            return new CheckpointFile(path, file!, journal);
        }

        file?.Dispose();
        return null;
    }

    /// <summary>Puts both files in force. Returns the reason if that failed.</summary>
    public string? Commit(string journalPath) =>
        (Journal.Name(Length, Checksum) ?? Files.Rename(_path + Suffix, _path) ?? Files.Rename(journalPath + Suffix, journalPath))
        ?.ToString();

    private static DescriptorHandle? CreateNew(string path, int mode, out string? error)
    {
        var file = Files.CreateToRead(path, mode, out var refused);
        if (file is null && refused.Errno == KernelAbi.EEXIST && Files.Unlink(path) is null)
        {
            file = Files.CreateToRead(path, mode, out refused);
        }

        error = file is null ? refused.ToString() : null;
        return file;
    }
}
