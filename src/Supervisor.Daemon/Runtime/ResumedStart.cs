using Serilog;
using Supervisor.Config;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Linux;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>Starts a daemon that continues a previous one, with its configuration, listeners, workers and clients.</summary>
internal static class ResumedStart
{
    /// <summary>Starts, serves and shuts down. The exit status: 0, or 1 if nothing can be served.</summary>
    /// <param name="request">What was decided before.</param>
    /// <param name="previous">The previous daemon's state; the caller's.</param>
    /// <param name="configured">The configuration of the files if it differs from the previous daemon's; null otherwise. It is applied
    /// when the daemon serves.</param>
    public static int Run(StartRequest request, PreviousDaemonState previous, ConfigResult? configured)
    {
        using var parts = new DaemonParts(request, previous.Manifest.Clock, previous.Manifest.TokenMark);
        if (previous.Manifest.Events is { } stream)
        {
            parts.Events.Restore(stream);
        }

        parts.Events.Daemon(previous.EventKind, previous.Note);
        RestoreListeners(parts, previous, request.Log);
        using var endpoints = Endpoints.TryOpen(parts, request, previous, out var error);
        if (endpoints is null)
        {
            request.Log.Kind(MessageIds.ControlFailed).Fatal("{Error}", error);
            parts.Listeners.Close();
            return 1;
        }

        // A failure of the metrics stops no service.
        parts.MetricsEndpoint.ApplyAsync(parts.Config.Current.Daemon).Wait(EvidenceBudget.AtStart);
        RestoreServices(parts, previous);
        using var serving = new Serving(parts, endpoints, request);

        // After a re-execution there is no worker that the state does not name, because the state was taken just before.
        using var orphans = previous.IsSameProcess ? null : new OrphanedWorkers(
            parts.Loop, new WorkerRecovery(previous.Manifest, request.Info.Paths.BrokerSocket), found => OfNoWorker(parts, found),
            request.Log);

        // Signals that arrived in the meantime were blocked until the handlers existed.
        request.System.UnblockSignals();
        foreach (var runner in parts.Services)
        {
            runner.Snapshot.Resume();
            parts.Order.ServiceChanged(runner);
        }

        CloseUnrecognised(parts, previous, request.Log);
        if (!previous.IsSameProcess)
        {
            RemoveNotifySockets(parts, request.Info.Paths.NotifyDirectory);
        }

        ResumeWaiting(parts, previous);
        var workers = parts.Services.Sum(runner => runner.State.Workers.Length);
        var listeners = parts.Listeners.Handles.Count(handle => handle.Descriptor is not null);
        request.Log.Kind(previous.MessageId).Information(
            "{Note}: adopted {Workers} {WorkersWord} and {Listeners} {ListenersWord}",
            previous.Note, workers, workers == 1 ? "worker" : "workers", listeners, listeners == 1 ? "listener" : "listeners");
        var served = endpoints.FirstServed(parts.Loop.Time);
        endpoints.Checkpointer.ContinuesAfter = served;
        serving.Announce();
        new LateWork(parts.Loop, WorkWhileServing([.. parts.Listeners.Handles], previous)).ContinueAfter(served);
        if (configured is not null)
        {
            parts.Loop.Post(() => parts.Reloader.ApplyAtStart(configured));
        }
        else
        {
            StartBlocked(parts);
        }

        return serving.Run();
    }

    /// <summary>
    /// Reads the sockets of the previous daemon: one that gets to a worker before is read then. And copies what is needed of its state.
    /// </summary>
    private static IEnumerable<int> WorkWhileServing(IReadOnlyList<ListenerHandle> handles, PreviousDaemonState previous)
    {
        var steps = 0;
        foreach (var handle in handles)
        {
            handle.RecordBaseline();
            yield return ++steps;
        }

        foreach (var step in previous.ReleaseText())
        {
            yield return step;
        }
    }

    private static void RestoreListeners(DaemonParts parts, PreviousDaemonState previous, ILogger log)
    {
        // Later changes need the owners of socket files. A listener that lost its socket is bound below and needs them at once.
        _ = UserDirectory.Host.Refresh([.. parts.Config.Current.Listeners.SelectMany(AccountName.OwnersOf)]);
        var lost = previous.Manifest.Listeners.Where(entry => !previous.Descriptors.Has(DescriptorKey.Listener(entry.Spec.Name)));
        UserDirectory.Host.Refresh([.. lost.SelectMany(entry => AccountName.OwnersOf(entry.Spec))]).GetAwaiter().GetResult();
        foreach (var entry in previous.Manifest.Listeners)
        {
            var descriptor = previous.Descriptors.Take(DescriptorKey.Listener(entry.Spec.Name));
            if (entry.IsGiven && descriptor is null)
            {
                log.Kind(MessageIds.ListenerLost).Listener(entry.Spec.Name).Warning(
                    "listener {Listener}: the descriptor that a client had put is lost; put it again (listenctl put {Listener} --fd N)",
                    entry.Spec.Name, entry.Spec.Name);
                continue;
            }

            var handle = parts.Factory.Restorer.Restore(entry, descriptor, previous.Origin, previous.Call, previous.Note);
            parts.Factory.Restorer.RestoreShards(
                handle, shard => previous.Descriptors.Take(DescriptorKey.Shard(entry.Spec.Name, shard)), previous.Call, previous.Note,
                entry.Shards, inode => previous.Descriptors.Take(DescriptorKey.LeavingShard(entry.Spec.Name, inode)),
                entry.Steering is null ? what => previous.Descriptors.Take(DescriptorKey.Steering(entry.Spec.Name, what)) : null);
            parts.Factory.SteeringRestorer.Restore(handle, entry.Steering, previous.Descriptors.Take, previous.Call, previous.Note);
            if (handle.Steering is not null)
            {
                handle.RecordBaseline();
            }

            parts.Listeners.Add(handle);
        }

        parts.Factory.ClearSparesExcept(parts.Listeners.Handles);
        parts.Listeners.Await(previous.Manifest.Services.Select(service => service.State.Spec), log);
        foreach (var handle in parts.Listeners.Handles)
        {
            parts.Events.Follow(handle);
            SocketTakers.Record(handle);
        }
    }

    private static void RestoreServices(DaemonParts parts, PreviousDaemonState previous)
    {
        // All services are added first, because the restoration of one may read the others.
        foreach (var entry in previous.Manifest.Services)
        {
            parts.Services.Add(entry.State.Spec);
        }

        foreach (var (runner, entry) in parts.Services.Zip(previous.Manifest.Services))
        {
            // Before events are recorded, because the previous daemon has reported these facts.
            runner.Snapshot.Restore(entry, previous.Descriptors, areChildren: previous.IsSameProcess);
            parts.Events.Watch(runner);
        }
    }

    /// <summary>
    /// Starts services that the previous daemon could not start, if their listeners have sockets now. Another configuration does the same.
    /// </summary>
    private static void StartBlocked(DaemonParts parts)
    {
        foreach (var runner in parts.Services.Where(runner => runner.Requests is { Blocked: not null, Manual.Stop: null }
            && runner.Generations.Next.Listeners.All(handle => handle.Descriptor is not null)))
        {
            runner.Requests.Activate();
        }
    }

    /// <summary>
    /// The processes of a previous daemon that belong to no worker. Those of connections that it had not saved yet become workers.
    /// </summary>
    private static IEnumerable<WorkerRecovery.Found> OfNoWorker(DaemonParts parts, IReadOnlyList<WorkerRecovery.Found> found)
    {
        var pids = parts.Services.SelectMany(runner => runner.Workers.Facts)
            .SelectMany(worker => (int[])[worker.Main, worker.First]).ToHashSet();
        var tokens = parts.Services.SelectMany(runner => runner.Workers.Tokens).ToHashSet(StringComparer.Ordinal);
        foreach (var one in found)
        {
            if (one is { Token: { } own, ConnectionOf: { } service } && !tokens.Contains(own)
                && parts.Services.Find(service)?.Snapshot.AdoptConnection(one.Pid, own) == true)
            {
                tokens.Add(own);
            }
        }

        var sockets = parts.Services.SelectMany(runner => runner.Workers.NotifySockets).ToHashSet(StringComparer.Ordinal);
        return found.Where(one => !pids.Contains(one.Pid)
            && (one.Token is { } token ? !tokens.Contains(token) : one.NotifyPath is not { } path || !sockets.Contains(path)));
    }

    private static void CloseUnrecognised(DaemonParts parts, PreviousDaemonState previous, ILogger log)
    {
        // A socket unit passes its sockets to each daemon that starts. The listeners have these sockets already.
        foreach (var key in previous.Descriptors.Remaining.Where(key => !parts.Listeners.Has(previous.Descriptors.Peek(key)!)))
        {
            log.Kind(MessageIds.DescriptorClosed).Warning("unrecognised inherited descriptor {Descriptor}: closing it", key);
        }

        // A worker may have changed the socket so that close() blocks.
        parts.Disposer.Close("predecessor", previous.Descriptors.TakeAll());
    }

    private static void RemoveNotifySockets(DaemonParts parts, string directory)
    {
        var used = parts.Services.SelectMany(runner => runner.Workers.NotifySockets).ToHashSet(StringComparer.Ordinal);
        foreach (var left in Directory.EnumerateFiles(directory).Where(path => !used.Contains(path)).ToArray())
        {
            Files.Unlink(left);
        }
    }

    /// <summary>
    /// A listener that waits for its address waits as long as the previous daemon would have waited. One that had given up does not.
    /// </summary>
    private static void ResumeWaiting(DaemonParts parts, PreviousDaemonState previous)
    {
        var without = parts.Listeners.Handles.Where(handle => handle.Descriptor is null).ToArray();
        var entries = without.Length == 0
            ? []
            : previous.Manifest.Listeners.ToDictionary(entry => entry.Spec.Name, StringComparer.Ordinal);
        foreach (var handle in without)
        {
            var entry = entries.GetValueOrDefault(handle.Name);
            if (ConflictWatch.CanWait(handle) && (entry is null || entry.GivesUp is not null))
            {
                parts.Conflicts.Add(handle, entry?.GivesUp);
            }
            else
            {
                parts.Conflicts.AwaitAddress(handle);
            }
        }
    }
}
