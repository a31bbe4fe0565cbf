namespace Supervisor.Native;

/// <summary>A system call that must not fail did: for what nobody can answer but the daemon's own caller.</summary>
public sealed class SystemCallException : Exception
{
    /// <summary>Wraps <paramref name="error"/>; <paramref name="what"/> says what was being done.</summary>
    public SystemCallException(SystemCallError error, string what)
        : base($"{what}: {error}") => Error = error;

    /// <summary>The kernel's answer.</summary>
    public SystemCallError Error { get; }
}
