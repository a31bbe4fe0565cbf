using System.Diagnostics;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Workers;

/// <summary>The facts about a draining worker before and after a sample.</summary>
/// <param name="Before">The facts before.</param>
/// <param name="After">The facts after.</param>
/// <param name="At">When the sample was taken.</param>
internal readonly record struct DrainFinding(WorkerDrain Before, WorkerDrain After, TimeSpan At);

/// <summary>
/// Takes samples of draining workers on threads that may wait, adds each sample to the facts there, and passes the new facts on the
/// loop. Owned by the loop.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="listeners">All listeners that any worker of the service may have.</param>
/// <param name="roots">The known living processes of a worker.</param>
internal sealed class DrainSampler(
    EventLoop loop, Func<IReadOnlyList<ListenerHandle>> listeners, Func<int, IReadOnlyList<int>> roots) : IDisposable
{
    /// <summary>
    /// How long the descriptors of all draining workers may be read in one sample: a worker can have any number of them.
    /// </summary>
    private static readonly TimeSpan SampleTime = TimeSpan.FromSeconds(2);

    private bool _isDisposed;

    /// <summary>What the last sample has cost.</summary>
    public TimeSpan Cost { get; private set; }

    /// <summary>
    /// Samples workers. Calls <paramref name="onFound"/> on the loop with the findings in the workers' order; null if the sample failed.
    /// </summary>
    /// <param name="workers">The workers, with the facts so far.</param>
    /// <param name="isPartial">Whether only the known connections are counted.</param>
    /// <param name="isLast">Whether the workers are killed next.</param>
    /// <param name="onFound">Gets the findings; not called after <see cref="Dispose"/>.</param>
    public void Sample((int WorkerId, WorkerDrain Drain)[] workers, bool isPartial, bool isLast, Action<DrainFinding[]?> onFound)
    {
        if (_isDisposed)
        {
            return;
        }

        var (now, asked) = (loop.Now, loop.Time.GetTimestamp());
        var handles = listeners();
        var question = new AcceptedConnections(handles);
        var targets = Array.ConvertAll(workers, worker => (
            Roots: roots(worker.WorkerId), worker.Drain, Waits: !isPartial && worker.Drain.MayKeepAccepting(now)));
        var names = !targets.Any(target => target.Waits) ? [] : handles
            .Where(handle => handle.Listens)
            .SelectMany(handle => handle.Sockets.Where(socket => handle.Steering?.GivesTo(socket) != false)
                .Select(socket => (socket.Inode, handle.Name)))
            .DistinctBy(one => one.Inode)
            .ToDictionary(one => one.Inode, one => one.Name);
        SampleAsync(question, isLast, (snapshot, shared) =>
        {
            var began = Stopwatch.GetTimestamp();
            var until = began + (long)(SampleTime.TotalSeconds * Stopwatch.Frequency);
            var at = now + loop.Time.GetElapsedTime(asked);
            var found = Array.ConvertAll(targets, target =>
            {
                var sample = isPartial
                    ? new DrainSample([.. (target.Drain.Connections ?? []).Where(connection => snapshot.All.ContainsKey(connection.Inode))
                        .Select(connection => snapshot.All[connection.Inode])])
                    : new DrainSample(
                        snapshot.Of(target.Roots, until),
                        target.Waits ? [.. target.Roots.SelectMany(root => AcceptProbe.Awaited(root, names.Keys, until))
                            .Select(inode => names[inode]).Distinct()]
                            : null);
                return new DrainFinding(target.Drain, target.Drain.See(sample with { IsPartial = isPartial, IsLast = isLast }, at), at);
            });
            return (Found: found, Cost: shared + Stopwatch.GetElapsedTime(began));
        }).ContinueWith(
            task => loop.Post(() =>
            {
                if (!_isDisposed)
                {
                    Cost = task.IsCompletedSuccessfully ? task.Result.Cost : Cost;
                    onFound(task.IsCompletedSuccessfully ? task.Result.Found : null);
                }
            }),
            TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public void Dispose() => _isDisposed = true;

    /// <summary>
    /// Runs on a thread that may wait, with the connections and what they have cost; a sample that cannot begin has failed.
    /// </summary>
    private async Task<T> SampleAsync<T>(AcceptedConnections question, bool isUrgent, Func<ConnectionSnapshot, TimeSpan, T> sample)
    {
        var (snapshot, cost) = await SharedConnections.Shared.ReadAsync(question, isUrgent).ConfigureAwait(false);
        return await ProbeThreads.Shared.RunAsync(this, () => sample(snapshot, cost)).ConfigureAwait(false);
    }
}
