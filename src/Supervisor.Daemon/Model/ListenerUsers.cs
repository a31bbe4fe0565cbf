using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Model;

/// <summary>
/// The services that use a listener, in the order in which they were added. A change of one service costs what that service uses,
/// not what all services use: a reload that replaces a thousand sockets asks for each of them at each change. On the loop.
/// </summary>
internal sealed class ListenerUsers
{
    private readonly Dictionary<ListenerHandle, List<ServiceRunner>> _users = [];
    private readonly Dictionary<ServiceRunner, (int Place, IReadOnlyList<ListenerHandle> Listeners)> _known = [];
    private int _places;

    /// <summary>The services that use the listener.</summary>
    public IReadOnlyList<ServiceRunner> Of(ListenerHandle handle) => _users.GetValueOrDefault(handle) ?? (IReadOnlyList<ServiceRunner>)[];

    /// <summary>A service is new, or it may use other listeners than before.</summary>
    public void Update(ServiceRunner runner, IReadOnlyList<ListenerHandle> now)
    {
        var isKnown = _known.TryGetValue(runner, out var before);
        if (isKnown && ReferenceEquals(before.Listeners, now))
        {
            return;
        }

        var place = isKnown ? before.Place : _places++;
        Remove(runner);
        _known.Add(runner, (place, now));
        foreach (var handle in now.Count == 1 ? now : now.Distinct())
        {
            if (!_users.TryGetValue(handle, out var users))
            {
                _users.Add(handle, users = new(1));
            }

            var at = users.Count;
            while (at > 0 && _known[users[at - 1]].Place > place)
            {
                at--;
            }

            users.Insert(at, runner);
        }
    }

    /// <summary>A service does not exist any more.</summary>
    public void Remove(ServiceRunner runner)
    {
        if (!_known.Remove(runner, out var before))
        {
            return;
        }

        foreach (var handle in before.Listeners)
        {
            if (_users.TryGetValue(handle, out var users) && users.Remove(runner) && users.Count == 0)
            {
                _users.Remove(handle);
            }
        }
    }
}
