using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reports;

/// <summary>The documents of listeners and their history. On the loop.</summary>
internal static class ListenerDocuments
{
    /// <summary>The document of a listener.</summary>
    /// <param name="handle">The listener.</param>
    /// <param name="services">The services whose workers get it.</param>
    /// <param name="withOptions">Whether the document has the options.</param>
    /// <param name="reading">What was read of its first socket just now; null to read it.</param>
    public static ListenerDocument Listener(
        ListenerHandle handle, IEnumerable<ServiceRunner> services, bool withOptions = true, SocketReading? reading = null)
    {
        var spec = handle.Spec;
        var kind = spec.Address.Kind;
        ListenerSocket[] sockets = [.. handle.Sockets, .. handle.Leaving];
        var users = services.ToArray();
        var hasQueue = handle.Listens || !kind.IsSocket();
        var queues = sockets.Select(socket => hasQueue ? AcceptQueue.Read(socket.Descriptor, kind, socket.Inode) : null).ToArray();
        return new ListenerDocument(
            handle.Name,
            kind.Scheme(),
            handle.StateWord(),
            spec.Address.ToString(),
            handle.Effective?.ToString(),
            handle.Descriptor is null ? null : handle.Inode,
            handle.Descriptor?.Number,
            Math.Max(handle.Sockets.Count, 1),
            handle.Listens ? new BacklogDocument(spec.Listen.Backlog, queues.Min(queue => queue?.Limit)) : null,
            handle.Listens || queues.Any(queue => queue is not null)
                ? new QueueDocument(Sum(queues, queue => queue?.Length), Sum(queues, queue => queue?.Limit))
                : null,
            withOptions ? [.. Options(handle, reading)] : [],
            handle.Origin.ToWireName(),
            handle.Drift.Any(),
            FailureReport.Failure(handle),
            [.. users.Select(runner => runner.Name)])
        {
            Sockets = [.. sockets.Select((socket, i) => new ShardDocument(
                socket.Shard, socket.Inode, socket.Descriptor.Number,
                kind.Listens() ? new QueueDocument(queues[i]?.Length, queues[i]?.Limit) : null,
                [.. users.SelectMany(runner => runner.State.Workers
                    .Where(worker => runner.Shards.Holds(worker.Id, socket)).Select(worker => $"{runner.Name}/{worker.Slot}"))])
            {
                Drops = SocketDrops.Read(socket.Descriptor, handle.Spec),
                State = handle.Steering is not null
                    ? SteeringDocuments.State(handle, socket, users.Any(runner => runner.Steering.IsServed(socket)))
                    : socket.LeavingSince is not null ? "leaving" : socket.IsChosen ? "serving" : "waiting",
                Generation = socket.Steered?.Generation,
            })],
            Steering = SteeringDocuments.Of(handle),
            Selection = SelectionDocuments.Of(handle),
            Drifted = [.. handle.Drift.DistinctBy(change => change.Name).Select(change => Drifted(handle, change))],
        };
    }

    private static long? Sum((long Length, long Limit)?[] queues, Func<(long Length, long Limit)?, long?> value) =>
        queues.Length == 0 || queues.Any(queue => queue is null) ? null : queues.Sum(value);

    private static OptionDocument Drifted(ListenerHandle handle, SocketChange change) => new(
        change.Name,
        change.Option?.LevelName ?? "",
        (change.Option?.Phase ?? HandlePhase.Listen).ToWireName(),
        Scalar(change.Option is { } option ? handle.AskedFor(option)?.Value ?? change.Before : change.Before),
        Scalar(change.Now),
        Verdict.Drifted.ToWireName(),
        change.Option?.Setting ?? (change.Name == SocketChange.Backlog ? "listen.backlog" : null));

    public static HistoryEntryDocument History(HistoryEntry entry) => new(
        entry.Seq,
        entry.At,
        entry.Phase.ToWireName(),
        entry.Call,
        entry.Option,
        Scalar(entry.Requested),
        Scalar(entry.Effective),
        entry.Errno,
        entry.Verdict.ToWireName(),
        entry.Actor is { } actor ? new ActorDocument(actor.Pid, actor.Name) : null,
        entry.Note,
        (long)entry.SinceCreation.TotalMicroseconds);

    private static IEnumerable<OptionDocument> Options(ListenerHandle handle, SocketReading? reading)
    {
        if (handle.Descriptor is not { } socket)
        {
            yield break;
        }

        var hasDrifted = handle.HasDrifted;
        var unasked = handle.IsMadeByOther ? Verdict.Inherited : Verdict.Default;
        var rows = SocketOptions.ShownOf(handle.Spec);
        for (var i = 0; i < rows.Length; i++)
        {
            var option = rows[i];
            if (!option.AppliesTo(handle.Spec.Address.Kind, handle.Domain))
            {
                continue;
            }

            var asked = handle.Asked.Of(option) ?? handle.Asked.Of(Forced(option));
            var effective = reading is null || reading.Rows[i] != option ? OptionAccess.Get(socket, option) : reading.Options[i];
            if (effective is null && asked is null)
            {
                continue;
            }

            var verdict = hasDrifted && handle.Drift.Any(change => change.Option == option) ? Verdict.Drifted
                : asked is not { } known ? unasked
                : known.Verdict != Verdict.Refused && effective != known.Effective ? Verdict.Drifted
                : known.Verdict;
            yield return new OptionDocument(
                option.Name, option.LevelName, option.Phase.ToWireName(), Scalar(asked?.Requested), Scalar(effective),
                verdict.ToWireName(), option.Setting);
        }

        foreach (var row in OpenedDocuments.Of(handle, socket))
        {
            yield return row;
        }

        foreach (var refused in handle.RefusedOfFile)
        {
            var setting = refused.Option switch { "mode" => "unix.mode", "symlinks" => "unix.symlinks", _ => "unix.user" };
            yield return new OptionDocument(
                refused.Option!, "file", refused.Phase.ToWireName(), Scalar(refused.Requested), null,
                refused.Verdict.ToWireName(), setting);
        }

        foreach (var change in handle.Drift.Where(change => change.Option is null).DistinctBy(change => change.Name))
        {
            yield return Drifted(handle, change);
        }
    }

    /// <summary>The document names SO_RCVBUF also if SO_RCVBUFFORCE was used.</summary>
    private static SocketOption Forced(SocketOption option) =>
        option == SocketOptions.ReceiveBuffer ? SocketOptions.ReceiveBufferForce
        : option == SocketOptions.SendBuffer ? SocketOptions.SendBufferForce
        : option;

    private static ScalarValue? Scalar(OptionValue? value) => value is { } known ? new ScalarValue(known.Number, known.Text) : null;
}
