using Serilog;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Linux.Paths;
using Supervisor.Linux.Performance;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// The state of the daemon in the runtime directory: a checkpoint, which is a whole state, and the journal of what has changed
/// since. A checkpoint is written to a new file and renamed, so a reader finds a complete state. A full disk costs only the newest
/// state, which is logged once.
/// </summary>
public sealed class StateFile(string path, ILogger log) : IDisposable
{
    private const int OwnerOnly = 0x180;

    /// <summary>The size limit in bytes: 10,000 listeners with their histories need about 60 MB.</summary>
    private const int MaxBytes = 1 << 30;

    /// <summary>A journal of this length needs no checkpoint yet, however small the state is.</summary>
    private const int FreeJournal = 1 << 20;

    /// <summary>How many times longer than the checkpoint the journal gets: the share of what is written anew.</summary>
    private const int JournalShare = 2;

    private readonly string _journalPath = JournalOf(path);
    private CheckpointFile? _next;
    private JournalFile? _journal;
    private long _checkpointLength;
    private bool _hasFailed;

    /// <summary>What was found.</summary>
    /// <param name="Manifest">The state; null if there is no usable state.</param>
    /// <param name="Unknown">What a newer version wrote into it; with a state only.</param>
    /// <param name="Error">Why the existing state cannot be used.</param>
    /// <param name="Refusal">Why it must not be used: another user may have written it.</param>
    public readonly record struct Found(DaemonManifest? Manifest, UnknownFields? Unknown, string? Error, string? Refusal);

    /// <summary>The journal in force; null before the first checkpoint.</summary>
    public DescriptorHandle? Journal => _journal?.Descriptor;

    /// <summary>Whether there is a checkpoint, of this daemon or of a previous one.</summary>
    public bool IsThere => Files.GetStatus(path, out _) is null;

    /// <summary>Whether a checkpoint of this daemon is in force, so that an appended line counts.</summary>
    public bool HasJournal => _journal is not null;

    /// <summary>Whether the journal has reached the length after which the next checkpoint should be written.</summary>
    public bool IsJournalFull => _journal?.Length > Math.Max(FreeJournal, _checkpointLength * JournalShare);

    /// <summary>
    /// Reads the state from the file, or from the sealed memory file <paramref name="stored"/> if there is no file, with the changes
    /// of its journal. The caller keeps the descriptors.
    /// </summary>
    public static Found Read(string path, DescriptorHandle? stored = null, DescriptorHandle? storedJournal = null)
    {
        var bytes = TrustedFile.ReadOwn(path, MaxBytes, PathTrust.InForce, out var refused);
        var journal = bytes is null || refused is not null ? null : ReadJournal(path, bytes, out refused);
        if (refused is { Error: null })
        {
            return new Found(null, null, null, $"{path}: state rejected: {refused}");
        }

        if (bytes is null && stored is not null)
        {
            bytes = Succession.ReadSealed(stored, out _);
            journal = storedJournal is null ? null : Files.ReadAll(storedJournal, out _);
        }

        CollectionPause.BeginForState(bytes?.Length ?? 0);
        return bytes is null ? refused is { IsMissing: false } ? new Found(null, null, refused.ToString(), null) : default
            : ManifestFormat.TryRead(bytes, out var manifest, out var unknown, out var error, journal)
                ? new Found(manifest, unknown, null, null)
                : new Found(null, null, error, null);
    }

    /// <summary>Writes the output of <paramref name="state"/> as a checkpoint; false if that failed, which is logged.</summary>
    public bool Write(Action<Stream> state)
    {
        if (Begin() is not { } stream)
        {
            return false;
        }

        try
        {
            state(stream);
        }
        catch (IOException refused)
        {
            return Fail(refused.Message);
        }

        return Commit();
    }

    /// <summary>
    /// Begins a checkpoint: the caller writes the whole state to the stream, which stays the file's. Until <see cref="Commit"/>,
    /// appended lines go to the journals of both checkpoints. Null if that failed, which is logged.
    /// </summary>
    public Stream? Begin()
    {
        KeepJournal();
        _next = CheckpointFile.Create(path, _journalPath, OwnerOnly, out var refused);
        if (_next is null)
        {
            Fail(refused!);
        }

        return _next;
    }

    /// <summary>Puts the checkpoint in force; false if that failed, which is logged.</summary>
    public bool Commit()
    {
        if (_next!.Commit(_journalPath) is { } refused)
        {
            return Fail(refused);
        }

        _journal?.Dispose();
        (_journal, _checkpointLength) = (_next.Journal, _next.Length);
        _next.Dispose();
        _next = null;
        if (_hasFailed)
        {
            log.Kind(MessageIds.StateWritten).Information("{File}: the state can be written again", path);
        }

        _hasFailed = false;
        return true;
    }

    /// <summary>
    /// Appends a line to the journal; false if that failed, which is logged: then only a checkpoint saves the state again.
    /// </summary>
    public bool Append(ReadOnlySpan<byte> line) =>
        (_journal?.Append(line) ?? _next?.Journal.Append(line)) is not { } refused || Fail(refused.ToString());

    /// <summary>Drops a checkpoint that cannot be written to the end, and logs the first failure; false.</summary>
    public bool Fail(string reason)
    {
        if (_next is { } next)
        {
            next.Journal.Dispose();
            next.Dispose();
            _next = null;
        }

        Files.Unlink(path + CheckpointFile.Suffix);
        Files.Unlink(_journalPath + CheckpointFile.Suffix);
        if (!_hasFailed)
        {
            log.Kind(MessageIds.StateNotWritten).Warning(
                "{File}: cannot write the state: {Reason}; if listend dies now, its successor recovers an older state", path, reason);
        }

        _hasFailed = true;
        return false;
    }

    /// <summary>Removes the files.</summary>
    public void Remove()
    {
        Files.Unlink(path);
        Files.Unlink(_journalPath);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _next?.Journal.Dispose();
        _next?.Dispose();
        _journal?.Dispose();
    }

    private static string JournalOf(string path) => Path.ChangeExtension(path, ".journal");

    /// <summary>
    /// The journal of a checkpoint. A daemon that died just after it had put both in force has left the journal under its first name.
    /// </summary>
    private static byte[]? ReadJournal(string path, byte[] checkpoint, out FileRefusal? refusal)
    {
        refusal = null;
        foreach (var name in (ReadOnlySpan<string>)[JournalOf(path), JournalOf(path) + CheckpointFile.Suffix])
        {
            var journal = TrustedFile.ReadOwn(name, MaxBytes, PathTrust.InForce, out refusal);
            if (refusal is { Error: null } || (journal is not null && JournalFormat.IsOf(journal, checkpoint)))
            {
                return journal;
            }
        }

        return null;
    }

    /// <summary>Gives the journal that a predecessor left under its first name the second one: a checkpoint replaces the first.</summary>
    private void KeepJournal()
    {
        var next = _journalPath + CheckpointFile.Suffix;
        if (_journal is null && Files.GetStatus(next, out _) is null
            && TrustedFile.ReadOwn(path, MaxBytes, PathTrust.InForce, out _) is { } checkpoint
            && TrustedFile.ReadOwn(next, MaxBytes, PathTrust.InForce, out _) is { } journal && JournalFormat.IsOf(journal, checkpoint))
        {
            Files.Rename(next, _journalPath);
        }
    }
}
