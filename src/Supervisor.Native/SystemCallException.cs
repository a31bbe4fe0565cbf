namespace Supervisor.Native;

/// <summary>The failure of a system call that must not fail: only the daemon's caller can fix the cause.</summary>
public sealed class SystemCallException : Exception
{
    /// <summary>
    /// Wraps <paramref name="error"/>; <paramref name="what"/> names the operation, <paramref name="remedy"/> what its user can do.
    /// </summary>
    public SystemCallException(SystemCallError error, string what, string? remedy = null)
        : base($"{what}: {error}") => (Error, Remedy) = (error, remedy);

    /// <summary>What the user can do, if it does not follow from the errno alone.</summary>
    public string? Remedy { get; }

    /// <summary>The failed call.</summary>
    public SystemCallError Error { get; }
}
