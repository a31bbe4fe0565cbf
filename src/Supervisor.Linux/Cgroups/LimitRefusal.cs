namespace Supervisor.Linux.Cgroups;

/// <summary>Why a limit is not in force.</summary>
/// <param name="Errno">The name of the error, such as ENOENT.</param>
/// <param name="Text">The cause and a remedy.</param>
public sealed record LimitRefusal(string Errno, string Text)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Errno}: {Text}";
}
