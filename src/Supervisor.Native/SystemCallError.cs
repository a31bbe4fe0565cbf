using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>A refused system call: its name and the kernel's errno, taken at once.</summary>
/// <param name="Call">The bare name of the call.</param>
/// <param name="Errno">The raw number.</param>
public readonly record struct SystemCallError(string Call, int Errno)
{
    /// <summary>The number's name, such as EADDRINUSE.</summary>
    public string Name => ErrnoNames.Name(Errno);

    /// <summary>The C library's sentence for it.</summary>
    public string Text => Marshal.GetPInvokeErrorMessage(Errno);

    /// <inheritdoc/>
    public override string ToString() => $"{Call}: {Name} ({Text})";

    /// <summary>The error of the call that has just returned -1.</summary>
    internal static SystemCallError Last(string call) => new(call, Tmds.Linux.LibC.errno);
}
