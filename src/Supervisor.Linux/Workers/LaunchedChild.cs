using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>A child that has been begun, the read ends of its output and error, and what is done once it needs nothing of the daemon's any more.</summary>
internal sealed class LaunchedChild(ChildProcess.Begun begun, DescriptorHandle output, DescriptorHandle error, Action onFinished, Func<ChildProcess.Failure, string> text)
{
    /// <summary>The read end of its standard output; whoever finishes the child owns it where that succeeds.</summary>
    public DescriptorHandle Output => output;

    /// <summary>The same of its standard error.</summary>
    public DescriptorHandle Error => error;

    /// <summary>Waits until it has executed its program; null with the <paramref name="failure"/> where it could not, and then nothing is left.</summary>
    public ChildProcess.Started? Finish(out string? failure)
    {
        var child = begun.Finish(out var step);
        onFinished();
        if (child is { } started)
        {
            failure = null;
            return started;
        }

        output.Dispose();
        error.Dispose();
        failure = text(step);
        return null;
    }
}
