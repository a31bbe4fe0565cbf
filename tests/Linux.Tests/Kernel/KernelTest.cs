using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>A test that must leak nothing: it ends with the same descriptors and without a child, not even a zombie.</summary>
public abstract class KernelTest : IDisposable
{
    private readonly SortedDictionary<int, string> _before = Prepared();

    /// <summary>The time after which a test fails: generous, and never waited for in full.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The open descriptors, including those that a process's first spawn opens permanently.</summary>
    private static SortedDictionary<int, string> Prepared()
    {
        Assert.Null(ChildProcess.Prepare());
        return ProcessDescriptors.Open();
    }

    public virtual void Dispose()
    {
        var leaked = ProcessDescriptors.Open().Except(_before).Select(pair => $"{pair.Key} -> {pair.Value}");
        Assert.Empty(leaked);
        Assert.Equal(0, Processes.PeekAnyExited());
    }
}
