using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// Who may take which handle: root and the daemon's own user all of them; others those whose <c>allow</c> names them or a
/// group of theirs, and the workers of a service those that it lists. Names are looked up once each, since a look-up may
/// ask a directory server and the loop must not wait for one at every request; one that is not found is looked up again.
/// </summary>
public sealed class BrokerAccess
{
    private readonly Dictionary<string, uint> _ids = new(StringComparer.Ordinal);

    /// <summary>Forgets what names stand for: after the configuration or the user database has changed.</summary>
    public void Forget() => _ids.Clear();

    /// <summary>Whether the peer may take the handle. <paramref name="service"/> is the one that it belongs to.</summary>
    public bool Allows(BrokerPeer peer, BrokerService? service, ListenerHandle handle)
    {
        if (peer.IsPrivileged || service?.Listeners.Contains(handle.Name) == true)
        {
            return true;
        }

        foreach (var entry in handle.Spec.Allow)
        {
            var name = entry[(entry.IndexOf(':', StringComparison.Ordinal) + 1)..];
            var isUser = entry.StartsWith("user:", StringComparison.Ordinal);
            if (Find(entry, isUser, name) is { } id && (isUser ? peer.Uid == id : peer.IsOf(id)))
            {
                return true;
            }
        }

        return false;
    }

    private uint? Find(string entry, bool isUser, string name)
    {
        if (_ids.TryGetValue(entry, out var known))
        {
            return known;
        }

        var found = isUser ? Processes.FindUser(name)?.Uid : Processes.FindGroup(name);
        if (found is { } id)
        {
            _ids.Add(entry, id);
        }

        return found;
    }
}
