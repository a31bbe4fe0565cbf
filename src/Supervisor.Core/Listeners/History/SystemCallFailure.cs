namespace Supervisor.Core.Listeners.History;

/// <summary>A system call that failed: its name, arguments and errno.</summary>
/// <param name="Call">The bare name of the call.</param>
/// <param name="Arguments">Its arguments as text.</param>
/// <param name="Errno">The raw number.</param>
/// <param name="Name">The number's name, such as EADDRINUSE.</param>
/// <param name="Text">The C library's text for it.</param>
public sealed record SystemCallFailure(string Call, string Arguments, int Errno, string Name, string Text)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Call}({Arguments}): {Name} ({Text})";
}
