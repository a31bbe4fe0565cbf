namespace Supervisor.Core.Diagnosis;

/// <summary>How the queue of one socket developed between two looks.</summary>
/// <param name="Socket">The socket.</param>
/// <param name="Samples">Its samples, oldest first; at least one.</param>
public sealed record SocketProgress(SocketSubject Socket, IReadOnlyList<SocketSample> Samples)
{
    /// <summary>The last sample.</summary>
    public SocketSample Now => Samples[^1];

    /// <summary>The first sample.</summary>
    public SocketSample Before => Samples[0];

    /// <summary>What the kernel dropped in between; null if unknown.</summary>
    public long? Dropped => Now.Drops is { } now && Before.Drops is { } before ? Math.Max(0, unchecked((uint)(now - before))) : null;

    /// <summary>The longest that the queue was.</summary>
    public long Peak => Samples.Max(sample => sample.Length);

    /// <summary>Whether something waited in each sample.</summary>
    public bool IsNeverEmpty => Samples.All(sample => sample.Length > 0);

    /// <summary>Whether no sample shows that anything left the queue.</summary>
    public bool NeverShrinks => Samples.Zip(Samples.Skip(1)).All(pair => pair.Second.Length >= pair.First.Length);

    /// <summary>Whether it was full at the end: the kernel drops when the length exceeds the limit (sk_acceptq_is_full).</summary>
    public bool IsFull => Now.Limit > 0 && Now.Length > Now.Limit;
}
