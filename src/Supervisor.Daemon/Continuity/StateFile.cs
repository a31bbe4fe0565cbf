using Serilog;
using Supervisor.Core;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The state in the runtime directory: whole or not at all, since it is written beside and renamed. A full disk costs the
/// newest state and nothing else; it is said once.
/// </summary>
internal sealed class StateFile(string path, ILogger log)
{
    private const int OwnerOnly = 0x180;

    private readonly string _beside = path + ".new";
    private bool _hasFailed;

    /// <summary>Has it written anew.</summary>
    public void Write(Action<Stream> state)
    {
        if (TryWrite(state) is { } failure)
        {
            Files.Unlink(_beside);
            if (!_hasFailed)
            {
                log.Kind(MessageIds.StateNotWritten).Warning("{File} cannot be written: {Reason}; if listend dies, its successor will find an older state", path, failure);
            }

            _hasFailed = true;
            return;
        }

        if (_hasFailed)
        {
            log.Kind(MessageIds.StateWritten).Information("{File} can be written again", path);
        }

        _hasFailed = false;
    }

    /// <summary>Removes it.</summary>
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

    /// <summary>A new file: what a daemon that died in the midst of it has left under that name is removed first.</summary>
    private DescriptorHandle? Create(out SystemCallError refused)
    {
        var file = Files.Create(_beside, OwnerOnly, out refused);
        return file is null && refused.Errno == EEXIST && Files.Unlink(_beside) is null ? Files.Create(_beside, OwnerOnly, out refused) : file;
    }
}
