using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>A test that leaves the process as it found it: the same descriptors, no child, not even an ended one.</summary>
public abstract class KernelTest : IDisposable
{
    private readonly SortedDictionary<int, string> _before = Prepared();

    /// <summary>How long anything may take here before the test has failed: generous, and never waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>What is open, with what the first spawn of a process opens for good.</summary>
    private static SortedDictionary<int, string> Prepared()
    {
        Assert.Null(ChildProcess.Prepare());
        return Descriptors.Open();
    }

    public virtual void Dispose()
    {
        var leaked = Descriptors.Open().Except(_before).Select(pair => $"{pair.Key} -> {pair.Value}");
        Assert.Empty(leaked);
        Assert.Equal(0, Processes.PeekAnyExited());
    }
}
