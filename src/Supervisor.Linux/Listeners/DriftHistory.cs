using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Records in a listener's history that its socket was changed: the configured value, the present value, and who can have changed it.
/// </summary>
internal static class DriftHistory
{
    /// <summary>Adds the change and its culprits; <paramref name="kept"/> says why it is not repaired, null if it can be.</summary>
    public static void Add(
        ListenerHandle handle, ListenerSocket socket, SocketChange change, IReadOnlyList<SocketHolderProcess> holders, string? kept)
    {
        var asked = Asked(handle, change);
        var note = new List<string>();
        if (handle.Sockets.Count > 1)
        {
            note.Add($"shard {socket.Shard}");
        }

        note.Add("by " + SocketHolderProcess.Describe(holders));
        if (asked is null && change.Before is { } before)
        {
            note.Add($"it was {before}");
        }

        if (kept is not null)
        {
            note.Add(kept);
        }
        else if (!handle.Spec.Enforce)
        {
            note.Add("not repaired: enforce = false");
        }

        handle.History.Add(
            HandlePhase.Drift, change.Call, change.Call == change.Name ? null : change.Name, asked, change.Now, verdict: Verdict.Drifted,
            actor: holders.Count == 1 ? holders[0].Actor : null, note: string.Join("; ", note));
    }

    /// <summary>What the configuration asks for; null if it does not set it.</summary>
    private static OptionValue? Asked(ListenerHandle handle, SocketChange change) => change.Name switch
    {
        SocketChange.Backlog => OptionValue.Of(handle.Spec.Listen.Backlog),
        _ => change.Option is { } option ? handle.AskedFor(option)?.Value : null,
    };
}
