namespace Supervisor.Native;

/// <summary>The failure of a system call that must not fail: only the daemon's caller can fix the cause.</summary>
public sealed class SystemCallException : Exception
{
    /// <summary>Wraps <paramref name="error"/>; <paramref name="what"/> names the operation.</summary>
    public SystemCallException(SystemCallError error, string what)
        : base($"{what}: {error}") => Error = error;

    /// <summary>The failed call.</summary>
    public SystemCallError Error { get; }
}
