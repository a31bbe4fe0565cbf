using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// O_NONBLOCK of a listener's open socket. All holders share it, and nearly every event-driven server sets it, so a change is
/// normal: it is an entry of the history, not drift. It is never cleared while a process has the socket, because a worker that
/// relies on it would block in accept().
/// </summary>
internal static class NonBlockingFlag
{
    /// <summary>Whether the flag is not as configured. False for a socket that a client gave: nothing is configured for it.</summary>
    public static bool Differs(ListenerHandle handle, ListenerSocket socket) =>
        !handle.IsGiven && Descriptors.IsNonBlocking(socket.Descriptor) != handle.Spec.Listen.NonBlocking;

    /// <summary>Records a holder's change, once for each generation of a holder. The present value is the new baseline.</summary>
    public static void Note(
        ListenerHandle handle, ListenerSocket socket, SocketChange change, IReadOnlyList<SocketHolderProcess> holders)
    {
        socket.Baseline = socket.Baseline! with { IsNonBlocking = change.Now == OptionValue.Of(true) };
        if (socket.IsNews(change.Name, holders))
        {
            Record(
                handle, socket, change.Now, Verdict.Adjusted, holders.Count == 1 ? holders[0].Actor : null,
                $"by {SocketHolderProcess.Describe(holders)}: normal for an event-driven server; "
                + "set again as configured before a worker starts while no other process has the socket");
        }
    }

    /// <summary>Gives the flag the configured value. No other process has the socket.</summary>
    public static void Restore(ListenerHandle handle, ListenerSocket socket, HistoryActor self)
    {
        var wanted = handle.Spec.Listen.NonBlocking;
        var error = Descriptors.SetNonBlocking(socket.Descriptor, wanted);
        if (error is null)
        {
            socket.Baseline = socket.Baseline is { } baseline ? baseline with { IsNonBlocking = wanted } : null;
        }

        Record(
            handle, socket, OptionValue.Of(Descriptors.IsNonBlocking(socket.Descriptor)),
            error is null ? Verdict.Exact : Verdict.Refused, self,
            "set as configured before a worker starts: no process has the socket", error?.Name);
    }

    private static void Record(
        ListenerHandle handle, ListenerSocket socket, OptionValue? effective, Verdict verdict, HistoryActor? actor, string note,
        string? errno = null) =>
        handle.History.Add(
            HandlePhase.Verify, "fcntl", SocketChange.NonBlocking, OptionValue.Of(handle.Spec.Listen.NonBlocking), effective, errno,
            verdict, actor, handle.Sockets.Count > 1 ? $"shard {socket.Shard}: {note}" : note);
}
