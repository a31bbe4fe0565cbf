using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// The processes that got a listener from the broker (<c>take</c>), besides the workers of its services. They share its
/// sockets, so each of them can have changed one.
/// </summary>
public static class SocketTakers
{
    /// <summary>How many processes that took a listener are remembered, the newest ones: each check asks whether they still run.</summary>
    private const int Most = 64;

    /// <summary>The call by which a worker gets its sockets.</summary>
    private const string Spawned = "execve";

    private static readonly Action<ListenerHandle, HistoryFact> Noted = Note;

    /// <summary>
    /// Records from now on who takes the listener. Those that took it from a previous daemon and still run are looked up when somebody
    /// asks: with thousands of listeners, the look at each history would keep the clients of an upgrade waiting.
    /// </summary>
    public static void Record(ListenerHandle handle)
    {
        handle.AreTakersUnread = true;
        handle.Recorded += Noted;
    }

    /// <summary>The processes that took the listener, the last one last; null if there are none.</summary>
    internal static IReadOnlyList<HistoryActor>? Of(ListenerHandle handle)
    {
        ReadFormer(handle);
        return handle.Takers;
    }

    /// <summary>Forgets those that do not run any more.</summary>
    internal static void ForgetExited(ListenerHandle handle)
    {
        ReadFormer(handle);
        handle.Takers?.RemoveAll(taker => ProcFile.Read(taker.Pid) is null);
    }

    private static void ReadFormer(ListenerHandle handle)
    {
        if (!handle.AreTakersUnread)
        {
            return;
        }

        handle.AreTakersUnread = false;
        if (handle.History.MayHaveTakers(Spawned))
        {
            foreach (var entry in handle.History.Entries.Where(entry => entry.Phase == HandlePhase.Handoff && entry.Call != Spawned))
            {
                Note(handle, entry.Actor);
            }

            ForgetExited(handle);
        }
    }

    private static void Note(ListenerHandle handle, HistoryFact fact)
    {
        if (fact is { Phase: HandlePhase.Handoff } && fact.Call != Spawned)
        {
            ReadFormer(handle);
            Note(handle, fact.Actor);
        }
    }

    private static void Note(ListenerHandle handle, HistoryActor? taker)
    {
        if (taker is not { } actor)
        {
            return;
        }

        var takers = handle.Takers ??= new(1);

        // A process that takes it again becomes the newest one.
        for (var i = takers.Count - 1; i >= 0; i--)
        {
            if (takers[i].Pid == actor.Pid)
            {
                if (i == takers.Count - 1)
                {
                    takers[i] = actor;
                    return;
                }

                takers.RemoveAt(i);
            }
        }

        if (takers.Count == Most)
        {
            takers.RemoveAt(0);
        }

        takers.Add(actor);
    }
}
