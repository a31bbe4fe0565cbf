using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Remembers which processes have a listener besides the workers of its services: those that took it from the broker. On the loop.
/// </summary>
public static class SocketTakers
{
    /// <summary>How many processes of a listener are remembered, the newest ones: each check asks whether they still run.</summary>
    private const int MostTakers = 64;

    /// <summary>The call by which a worker gets its sockets.</summary>
    private const string Spawned = "execve";

    private static readonly Action<ListenerHandle, HistoryFact> Recorded = Note;

    /// <summary>
    /// Records the processes that get the listener from now on, and those that got it from a previous daemon and still run.
    /// </summary>
    public static void Record(ListenerHandle handle)
    {
        foreach (var entry in handle.History.Entries.Where(entry => entry.Phase == HandlePhase.Handoff && entry.Call != Spawned))
        {
            Note(handle, entry.Actor);
        }

        ForgetExited(handle);
        handle.Recorded += Recorded;
    }

    /// <summary>Forgets processes that have exited.</summary>
    internal static void ForgetExited(ListenerHandle handle) => handle.Takers?.RemoveAll(taker => ProcFile.Read(taker.Pid) is null);

    private static void Note(ListenerHandle handle, HistoryFact fact)
    {
        if (fact is { Phase: HandlePhase.Handoff } && fact.Call != Spawned)
        {
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

        if (takers.Count == MostTakers)
        {
            takers.RemoveAt(0);
        }

        takers.Add(actor);
    }
}
