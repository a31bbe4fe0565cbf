namespace Supervisor.Core.Workers;

/// <summary>
/// How a process treats signals: SigBlk, SigIgn and SigCgt of /proc/PID/status (proc_pid_status(5)). Bit n - 1 is signal n.
/// </summary>
/// <param name="Blocked">Blocked in the first thread: such a program reads the signal by sigwait(3) or signalfd(2).</param>
/// <param name="Ignored">Ignored.</param>
/// <param name="Caught">Handled by a function of the program.</param>
public readonly record struct SignalMasks(ulong Blocked, ulong Ignored, ulong Caught)
{
    /// <summary>Whether the signal does not take its default action. SIGKILL and SIGSTOP always do.</summary>
    public bool Handles(int signal) =>
        signal is not (Signals.Kill or Signals.Stop) && ((Blocked | Ignored | Caught) >> (signal - 1) & 1) != 0;

    /// <summary>The masks in the text of /proc/PID/status; null if one of them is missing.</summary>
    public static SignalMasks? Parse(ReadOnlySpan<byte> status) =>
        Mask(status, "\nSigBlk:\t"u8) is { } blocked && Mask(status, "\nSigIgn:\t"u8) is { } ignored
            && Mask(status, "\nSigCgt:\t"u8) is { } caught
            ? new SignalMasks(blocked, ignored, caught)
            : null;

    private static ulong? Mask(ReadOnlySpan<byte> status, ReadOnlySpan<byte> name)
    {
        // A process name cannot forge a line, because the kernel escapes its newlines (fs/proc/array.c, proc_task_name).
        var at = status.IndexOf(name);
        return at >= 0 && System.Buffers.Text.Utf8Parser.TryParse(status[(at + name.Length)..], out ulong mask, out _, 'x') ? mask : null;
    }
}
