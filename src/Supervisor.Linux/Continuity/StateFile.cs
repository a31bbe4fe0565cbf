using Serilog;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// The state of the daemon in the runtime directory. It is written to a new file and renamed, so a reader finds a complete
/// state. A full disk costs only the newest state, which is logged once.
/// </summary>
public sealed class StateFile(string path, ILogger log)
{
    private const int OwnerOnly = 0x180;

    /// <summary>The size limit in bytes: 10,000 listeners with their histories need about 60 MB.</summary>
    private const int MaxBytes = 1 << 30;

    private readonly string _beside = path + ".new";
    private bool _hasFailed;

    /// <summary>What was found.</summary>
    /// <param name="Manifest">The state; null if there is no usable state.</param>
    /// <param name="Unknown">What a newer version wrote into it; with a state only.</param>
    /// <param name="Error">Why the existing state cannot be used.</param>
    /// <param name="Refusal">Why it must not be used: another user may have written it.</param>
    public readonly record struct Found(DaemonManifest? Manifest, UnknownFields? Unknown, string? Error, string? Refusal);

    /// <summary>
    /// Reads the state from the file, or from the sealed memory file <paramref name="stored"/> if there is no file. The caller
    /// keeps <paramref name="stored"/>.
    /// </summary>
    public static Found Read(string path, DescriptorHandle? stored = null)
    {
        var bytes = TrustedFile.ReadOwn(path, MaxBytes, PathTrust.InForce, out var refused);
        if (refused is { Error: null })
        {
            return new Found(null, null, null, $"{path}: state rejected: {refused}");
        }

        bytes ??= stored is null ? null : Succession.ReadSealed(stored, out _);
        return bytes is null ? default
            : ManifestFormat.TryRead(bytes, out var manifest, out var unknown, out var error) ? new Found(manifest, unknown, null, null)
            : new Found(null, null, error, null);
    }

    /// <summary>Writes the output of <paramref name="state"/> to the file.</summary>
    public void Write(Action<Stream> state)
    {
        if (TryWrite(state) is { } failure)
        {
            Files.Unlink(_beside);
            if (!_hasFailed)
            {
                log.Kind(MessageIds.StateNotWritten).Warning(
                    "{File}: cannot write the state: {Reason}; if listend dies now, its successor recovers an older state", path, failure);
            }

            _hasFailed = true;
            return;
        }

        if (_hasFailed)
        {
            log.Kind(MessageIds.StateWritten).Information("{File}: the state can be written again", path);
        }

        _hasFailed = false;
    }

    /// <summary>Removes the file.</summary>
    public void Remove() => Files.Unlink(path);

    private string? TryWrite(Action<Stream> state)
    {
        using (var file = Create(out var refused))
        {
            if (file is null)
            {
                return refused.ToString();
            }

            if (Files.WriteTo(file, state) is { } refusal)
            {
                return refusal;
            }
        }

        return Files.Rename(_beside, path)?.ToString();
    }

    /// <summary>Creates the new file. A daemon that died during a write may have left one, which is replaced.</summary>
    private DescriptorHandle? Create(out SystemCallError refused)
    {
        var file = Files.Create(_beside, OwnerOnly, out refused);
        return file is null && refused.Errno == EEXIST && Files.Unlink(_beside) is null
            ? Files.Create(_beside, OwnerOnly, out refused)
            : file;
    }
}
