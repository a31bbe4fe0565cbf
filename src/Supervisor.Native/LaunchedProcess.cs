using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// A child that may still be on its way from the launcher to its program. Owns <see cref="Status"/>; <see cref="Pidfd"/>
/// belongs to whoever started it.
/// </summary>
public sealed class LaunchedProcess : IDisposable
{
    private ChildProcess.Failure? _failure;
    private bool _isDecided;

    internal LaunchedProcess(int pid, DescriptorHandle pidfd, DescriptorHandle status)
    {
        Pid = pid;
        Pidfd = pidfd;
        Status = status;
    }

    /// <summary>Process id. It leads a session of its own from the launcher's first step on.</summary>
    public int Pid { get; }

    /// <summary>Its pidfd, the caller's to close.</summary>
    public DescriptorHandle Pidfd { get; }

    /// <summary>Readable, without waiting, as soon as the launch is decided. For a loop to watch.</summary>
    public DescriptorHandle Status { get; }

    /// <summary>
    /// How the launch went, without waiting: false while it is not decided. Then <paramref name="failure"/> is the step that
    /// failed, and the process exits with 127; or null, and the program has been executed (or the launcher was killed, as
    /// its exit status tells).
    /// </summary>
    public bool TryGetOutcome(out ChildProcess.Failure? failure)
    {
        if (!_isDecided)
        {
            SpawnOutcome outcome = default;
            var length = Files.Read(Status, MemoryMarshal.AsBytes(new Span<SpawnOutcome>(ref outcome)), out var error);
            if (length < 0 && error is null)
            {
                failure = null;
                return false;
            }

            _isDecided = true;
            _failure = length == Marshal.SizeOf<SpawnOutcome>() ? new ChildProcess.Failure((SpawnStage)outcome.Stage, outcome.Error, outcome.Detail) : null;
        }

        failure = _failure;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => Status.Dispose();
}
