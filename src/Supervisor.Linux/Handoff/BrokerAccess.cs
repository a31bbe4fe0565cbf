using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// Who may take which handle: root and the daemon's own user all of them; others those whose <c>allow</c> names them or a
/// group of theirs, and the workers of a service those that it lists. Lives on the loop, but names are looked up beside it,
/// once each, since a look-up may ask a directory server; a name that is not found is looked up again later.
/// </summary>
public sealed class BrokerAccess(EventLoop loop)
{
    /// <summary>After so long a name that was not found is looked up again.</summary>
    private static readonly TimeSpan NotFoundFor = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, (uint? Id, TimeSpan At)> _ids = new(StringComparer.Ordinal);
    private readonly HashSet<uint> _users = [];
    private readonly HashSet<uint> _groups = [];
    private readonly List<Action> _waiting = [];
    private bool _isLookingUp;

    /// <summary>Whether names are being looked up: until <see cref="WhenKnown"/> calls back some may not be known.</summary>
    public bool IsLookingUp => _isLookingUp;

    /// <summary>Forgets what names stand for: after the configuration or the user database has changed.</summary>
    public void Forget() => _ids.Clear();

    /// <summary>Begins to look up the names of those handles that are not known; nothing happens where all are.</summary>
    public void LookUp(IEnumerable<ListenerHandle> handles)
    {
        if (_isLookingUp)
        {
            return;
        }

        HashSet<string>? wanted = null;
        foreach (var handle in handles)
        {
            foreach (var entry in handle.Spec.Allow)
            {
                if (!_ids.TryGetValue(entry, out var known) || (known.Id is null && loop.Now - known.At > NotFoundFor))
                {
                    (wanted ??= new HashSet<string>(StringComparer.Ordinal)).Add(entry);
                }
            }
        }

        if (wanted is null)
        {
            return;
        }

        _isLookingUp = true;
        UserDirectory.Host.Refresh([.. wanted.Select(Account)]).ContinueWith(
            _ => loop.Post(() => Take([.. wanted.Select(entry => (entry, Find(Account(entry))))])), TaskScheduler.Default);
    }

    /// <summary>Calls <paramref name="action"/> when the look-up that is under way has ended, or at once.</summary>
    public void WhenKnown(Action action)
    {
        if (_isLookingUp)
        {
            _waiting.Add(action);
        }
        else
        {
            action();
        }
    }

    /// <summary>Whether some listener's <c>allow</c> names the peer or a group of it, as far as names are known.</summary>
    public bool IsNamed(BrokerPeer peer) => _users.Contains(peer.Uid) || _groups.Any(peer.IsOf);

    /// <summary>Whether the peer may take the handle. <paramref name="service"/> is the one that it belongs to.</summary>
    public bool Allows(BrokerPeer peer, BrokerService? service, ListenerHandle handle)
    {
        if (peer.IsPrivileged || service?.Listeners.Contains(handle.Name) == true)
        {
            return true;
        }

        foreach (var entry in handle.Spec.Allow)
        {
            if (_ids.TryGetValue(entry, out var known) && known.Id is { } id && (IsUser(entry) ? peer.Uid == id : peer.IsOf(id)))
            {
                return true;
            }
        }

        return false;
    }

    private void Take((string Entry, uint? Id)[] found)
    {
        foreach (var (entry, id) in found)
        {
            _ids[entry] = (id, loop.Now);
            if (id is { } known)
            {
                (IsUser(entry) ? _users : _groups).Add(known);
            }
        }

        _isLookingUp = false;
        var waiting = _waiting.ToArray();
        _waiting.Clear();
        foreach (var action in waiting)
        {
            action();
        }
    }

    private static AccountName Account(string entry) => new(IsUser(entry), entry[(entry.IndexOf(':', StringComparison.Ordinal) + 1)..]);

    private static uint? Find(AccountName account) => account.IsUser
        ? UserDirectory.Host.FindUser(account.Name, out _)?.Uid
        : UserDirectory.Host.FindGroup(account.Name, out _);

    private static bool IsUser(string entry) => entry.StartsWith("user:", StringComparison.Ordinal);
}
