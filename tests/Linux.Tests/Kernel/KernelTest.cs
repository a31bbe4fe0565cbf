using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>A test that leaves the process as it found it: the same descriptors, no child, not even an ended one.</summary>
public abstract class KernelTest : IDisposable
{
    private readonly SortedDictionary<int, string> _before = Descriptors.Open();

    /// <summary>How long anything may take here before the test has failed: generous, and never waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public virtual void Dispose()
    {
        var leaked = Descriptors.Open().Except(_before).Select(pair => $"{pair.Key} -> {pair.Value}");
        Assert.Empty(leaked);
        Assert.Equal(0, Processes.PeekAnyExited());
    }
}
