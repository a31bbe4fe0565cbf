using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// Decides which client may take which handle. Root and the daemon's own user may take all. Other users need an <c>allow</c>
/// that names them or one of their groups; a service's workers may take the listeners that it lists. Lives on the loop. Names
/// are looked up on other threads, because a look-up may ask a directory server, and cached. A name that was not found is
/// looked up again later.
/// </summary>
public sealed class BrokerAccess(EventLoop loop)
{
    /// <summary>After this time a name that was not found is looked up again.</summary>
    private static readonly TimeSpan NotFoundFor = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, (uint? Id, TimeSpan At)> _ids = new(StringComparer.Ordinal);
    private readonly HashSet<uint> _users = [];
    private readonly HashSet<uint> _groups = [];
    private readonly List<Action> _waiting = [];
    private bool _isLookingUp;

    /// <summary>Whether look-ups are running: until <see cref="WhenKnown"/> calls back, some names may be unknown.</summary>
    public bool IsLookingUp => _isLookingUp;

    /// <summary>Clears the cached names: after a change of the configuration or of the user database.</summary>
    public void Forget() => _ids.Clear();

    /// <summary>Starts looking up the unknown names of those handles; no effect if all are known.</summary>
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

    /// <summary>Calls <paramref name="action"/> when the running look-up has ended, or at once.</summary>
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

    /// <summary>Whether the <c>allow</c> of any listener names the peer or one of its groups, as far as names are known.</summary>
    public bool IsNamed(BrokerPeer peer) => _users.Contains(peer.Uid) || _groups.Any(peer.IsOf);

    /// <summary>Whether the peer may take the handle. <paramref name="service"/> is the peer's service.</summary>
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
