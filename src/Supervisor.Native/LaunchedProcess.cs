using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// A child that may not have executed its program yet. Owns <see cref="Status"/>; the caller that started it owns
/// <see cref="Pidfd"/>.
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

    /// <summary>Process id. The launcher's first step makes it the leader of its own session.</summary>
    public int Pid { get; }

    /// <summary>The child's pidfd; the caller closes it.</summary>
    public DescriptorHandle Pidfd { get; }

    /// <summary>Becomes readable when the launch has succeeded or failed; an event loop can watch it. Non-blocking.</summary>
    public DescriptorHandle Status { get; }

    /// <summary>
    /// How the launch went, without waiting: false until it is known. A <paramref name="failure"/> names the step that failed,
    /// and the process exits with status 127. Null: the program was executed, or the launcher was killed, which the exit status
    /// shows.
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
            _failure = length == Marshal.SizeOf<SpawnOutcome>()
                ? new ChildProcess.Failure((SpawnStage)outcome.Stage, outcome.Error, outcome.Detail)
                : null;
        }

        failure = _failure;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => Status.Dispose();
}
