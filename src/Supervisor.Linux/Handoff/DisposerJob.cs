using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>The task of a disposer job; the value is the first byte of its packet (disposer.c).</summary>
internal enum DisposerTask
{
    /// <summary>Close descriptors.</summary>
    Close = 'C',

    /// <summary>Receive a message and close all descriptors that it carries.</summary>
    Discard = 'D',

    /// <summary>Receive a message and return the descriptors whose close() cannot block in a file system.</summary>
    ReceiveSafe = 'K',

    /// <summary>Receive a message and return all descriptors.</summary>
    ReceiveAll = 'A',
}

/// <summary>One job of the disposer, waiting or running.</summary>
internal sealed class DisposerJob(
    DisposerTask task, string owner, IReadOnlyList<DescriptorHandle> descriptors, Action<Disposer.Outcome>? onDone)
{
    private Action<Disposer.Outcome>? _onDone = onDone;

    public DisposerTask Task { get; } = task;

    /// <summary>The service or user for which the job works.</summary>
    public string Owner { get; } = owner;

    /// <summary>
    /// For <see cref="DisposerTask.Close"/> the descriptors to close, which the job owns; otherwise the socket to read, which
    /// its owner keeps.
    /// </summary>
    public IReadOnlyList<DescriptorHandle> Descriptors { get; } = descriptors;

    /// <summary>This process's end of the socket pair to the job's process; null until the job has started.</summary>
    public DescriptorHandle? Gate { get; set; }

    /// <summary>Whether the outcome has not been reported.</summary>
    public bool IsAwaited => _onDone is not null;

    /// <summary>Reports the outcome, the first time.</summary>
    public void Finish(Disposer.Outcome outcome)
    {
        var onDone = _onDone;
        _onDone = null;
        onDone?.Invoke(outcome);
    }
}
