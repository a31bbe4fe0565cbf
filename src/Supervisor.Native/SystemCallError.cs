using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>A failed system call: its name and the kernel's errno, read at once.</summary>
/// <param name="Call">The name of the call, without parentheses.</param>
/// <param name="Errno">The errno number.</param>
public readonly record struct SystemCallError(string Call, int Errno)
{
    /// <summary>The errno name, such as EADDRINUSE.</summary>
    public string Name => ErrnoNames.Name(Errno);

    /// <summary>The C library's message for the errno.</summary>
    public string Text => Marshal.GetPInvokeErrorMessage(Errno);

    /// <inheritdoc/>
    public override string ToString() => $"{Call}: {Name} ({Text})";

    /// <summary>The error of the call that has just returned -1.</summary>
    internal static SystemCallError Last(string call) => new(call, Tmds.Linux.LibC.errno);
}
