using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Looks up the users and groups of one service's generations. Other threads query the name service, and each answer is posted
/// to the loop, where this object lives.
/// </summary>
internal sealed class IdentityRequests(EventLoop loop, UserDirectory users, Action onChanged) : IDisposable
{
    private readonly List<Request> _waiting = [];

    /// <summary>What is being resolved, such as <c>resolving user "www-data"</c>; null if nothing is.</summary>
    public string? Waits => _waiting.Count == 0 ? null : $"resolving {string.Join(", ", _waiting.SelectMany(one => one.Names).Distinct())}";

    /// <summary>
    /// Passes the identity of a specification's workers, or the error, to <paramref name="onResolved"/>: at once if there are
    /// no names to look up, otherwise on the loop within <see cref="UserDirectory.Patience"/>.
    /// </summary>
    public void Resolve(ServiceSpec spec, Action<WorkerIdentity?, string?> onResolved)
    {
        var names = WorkerIdentity.NamesOf(spec);
        var answered = users.Refresh(names);
        if (answered.IsCompleted)
        {
            Answer();
            return;
        }

        var request = new Request(names, onResolved);
        _waiting.Add(request);
        onChanged();
        answered.ContinueWith(
            _ => loop.Post(() =>
            {
                if (_waiting.Remove(request))
                {
                    onChanged();
                    Answer();
                }
            }),
            TaskScheduler.Default);

        void Answer() => onResolved(WorkerIdentity.TryResolve(spec, users, out var identity, out var error) ? identity : null, error);
    }

    /// <summary>Cancels the lookups: each waiting request fails for that reason.</summary>
    public void Cancel(string why)
    {
        var waiting = _waiting.ToArray();
        _waiting.Clear();
        foreach (var request in waiting)
        {
            request.OnResolved(null, why);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _waiting.Clear();

    private sealed record Request(IReadOnlyList<AccountName> Names, Action<WorkerIdentity?, string?> OnResolved);
}
