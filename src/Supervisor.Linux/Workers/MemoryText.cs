namespace Supervisor.Linux.Workers;

/// <summary>An amount of memory as text.</summary>
internal static class MemoryText
{
    /// <summary>The amount in MiB with one decimal.</summary>
    public static string Of(long bytes) => FormattableString.Invariant($"{bytes / 1048576.0:0.0} MiB");
}
