namespace Supervisor.Native;

/// <summary>Who sent a signal (sender.c): siginfo_t of sigaction(2), which the runtime does not pass on.</summary>
/// <param name="Uid">The real user id.</param>
/// <param name="Pid">The process id; null if the process is in another process id namespace.</param>
public readonly record struct SignalSender(uint Uid, int? Pid)
{
    private const uint Known = 1u << 31;

    /// <summary>Notes the senders of a signal from now on. Call it after a handler was registered: without one it has no effect.</summary>
    public static void Note(int signal) => Syscalls.listend_note_senders(signal);

    /// <summary>The sender of the last signal of that number; null if that was the kernel, or if none has come. Any thread.</summary>
    public static SignalSender? Of(int signal)
    {
        var sender = Syscalls.listend_sender(signal);
        var pid = (uint)sender & ~Known;
        return sender == 0 ? null : new SignalSender((uint)(sender >> 32), pid == 0 ? null : (int)pid);
    }
}
