using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Opens a FIFO, a special file or a message queue, recorded. A FIFO and a queue are made if they are not there; what is there must
/// belong to root, to the daemon's user or to the configured owner, because its owner may read and change what passes through it. No
/// symbolic link is followed, and no open waits: a FIFO is opened for both directions, everything else with O_NONBLOCK.
/// </summary>
internal static class OpenSteps
{
    private const int DefaultMode = 0x1B6; // 0666, as systemd's SocketMode=

    /// <summary>Opens what the listener's address names; the handle owns the descriptor afterwards.</summary>
    public static SystemCallFailure? Open(ListenerHandle handle, HistoryRecorder history, SocketCreator creator)
    {
        var kind = handle.Spec.Address.Kind;
        var opened = kind == ListenerKind.MessageQueue
            ? OpenQueue(handle, history, out var failure)
            : OpenPath(handle, history, out failure);
        if (opened is null)
        {
            return failure;
        }

        var call = kind == ListenerKind.MessageQueue ? "mq_open" : "open";
        if (creator.Put(handle, 0, opened, call, handle.Requested) is { } refused)
        {
            return refused;
        }

        return Configure(new SocketTarget(handle, 0, history));
    }

    /// <summary>What was opened, and its identity.</summary>
    public static SystemCallFailure? Verify(SocketTarget target)
    {
        target.Socket.ReadInode();
        target.Handle.Effective = target.Spec.Address;
        var address = OptionValue.Of(target.Handle.Requested);
        target.History.Add(HandlePhase.Verify, "fstat", "address", address, address);
        return null;
    }

    /// <summary>F_SETPIPE_SZ, read back.</summary>
    public static void SetPipeSize(DescriptorHandle pipe, HistoryRecorder history, int size)
    {
        var error = Pipes.SetSize(pipe, size);
        var effective = Pipes.GetSize(pipe);
        history.Add(
            HandlePhase.PreListen, "fcntl", "F_SETPIPE_SZ", OptionValue.Of(size), effective is { } got ? OptionValue.Of(got) : null,
            error?.Name, error is not null ? Verdict.Refused : effective == size ? Verdict.Exact : Verdict.Adjusted,
            error?.Name switch
            {
                "EPERM" => "above fs.pipe-max-size: needs CAP_SYS_RESOURCE",
                null => effective == size ? null : "the kernel rounds it up to a power of two of pages",
                _ => error.Value.Text,
            });
    }

    private static SystemCallFailure? Configure(SocketTarget target)
    {
        var spec = target.Spec;
        if (!spec.Listen.NonBlocking)
        {
            target.History.AddSetting(
                HandlePhase.Create, "fcntl", SocketChange.NonBlocking, OptionValue.Of(false),
                Descriptors.SetNonBlocking(target.Descriptor, false), "opened with O_NONBLOCK, so that the open never waits");
        }

        if (spec.Address.Kind == ListenerKind.Special)
        {
            return null;
        }

        if (spec.Opened.PipeSize is { } size)
        {
            SetPipeSize(target.Descriptor, target.History, size);
        }

        if ((spec.Unix.User ?? spec.Unix.Group) is not null
            && SocketFileSteps.SetOwner(target, new PathOwnerStep(spec.Address.Path!, spec.Unix.User, spec.Unix.Group)) is { } failure)
        {
            return failure;
        }

        if (spec.Unix.Mode is { } mode)
        {
            SocketFileSteps.SetMode(target, new PathModeStep(spec.Address.Path!, mode));
        }

        return null;
    }

    private static DescriptorHandle? OpenPath(ListenerHandle handle, HistoryRecorder history, out SystemCallFailure? failure)
    {
        var (spec, isPipe) = (handle.Spec, handle.Spec.Address.Kind == ListenerKind.Fifo);
        var unmade = isPipe ? AddressSteps.MakeDirectory(new SocketTarget(handle, 0, history), spec.Address.Path!) : null;
        using var place = SocketPlace.Open(spec.Address.Path!, out var unopened, out var note);
        if (place is null)
        {
            failure = Refuse(handle, history, unopened with { Call = "open" }, unmade ?? note);
            return null;
        }

        var isMade = false;
        failure = isPipe ? MakePipe(handle, history, place, note, out isMade) : null;
        if (failure is not null)
        {
            return null;
        }

        using var pinned = Pin(handle, history, place, isMade, out failure);
        if (pinned is null)
        {
            return null;
        }

        var writes = isPipe || spec.Opened.Writable;
        var opened = place.OpenFile(pinned, writes, out var unanswered);
        if (opened is null)
        {
            failure = Refuse(handle, history, unanswered, unanswered.Errno == ETIMEDOUT ? "it does not answer" : null);
            return null;
        }

        history.Add(
            HandlePhase.Create, "open", requested: OptionValue.Of(handle.Requested), effective: OptionValue.Of(handle.Requested),
            note: $"{(writes ? "O_RDWR" : "O_RDONLY")}, O_NONBLOCK, O_NOFOLLOW; close-on-exec");
        handle.RealPath = place.RealPath;
        handle.PathIdentity = isMade && Files.GetStatus(opened, out var status) is null ? (status.Device, status.Inode) : null;
        return opened;
    }

    private static SystemCallFailure? MakePipe(
        ListenerHandle handle, HistoryRecorder history, SocketPlace place, string? note, out bool isMade)
    {
        var error = place.MakePipe(handle.Spec.Unix.Mode ?? DefaultMode);
        isMade = error is null;
        var exists = error?.Errno == EEXIST;
        history.Add(
            HandlePhase.Create, "mknodat", requested: OptionValue.Of(handle.Requested), errno: error?.Name,
            verdict: isMade ? Verdict.Exact : exists ? Verdict.Inherited : Verdict.Refused, note: exists ? "it exists" : note);
        return isMade || exists ? null : error!.Value.With(handle.Requested);
    }

    /// <summary>Pins the file at the path, if it is of the kind of the address and its owner is trusted.</summary>
    private static DescriptorHandle? Pin(
        ListenerHandle handle, HistoryRecorder history, SocketPlace place, bool isMade, out SystemCallFailure? failure)
    {
        failure = null;
        var pinned = place.Pin(out var error);
        if (pinned is null)
        {
            failure = Refuse(handle, history, error with { Call = "open" }, null);
            return null;
        }

        var isPipe = handle.Spec.Address.Kind == ListenerKind.Fifo;
        if (Files.GetStatus(pinned, out var status) is { } unread)
        {
            failure = Refuse(handle, history, unread with { Call = "open" }, null);
        }
        else if (isPipe ? !status.IsPipe : !status.IsCharacterDevice && !status.IsRegular)
        {
            failure = Refuse(handle, history, new SystemCallError("open", EEXIST), "another kind of file");
        }
        else if (isPipe && !isMade && !OpenedPath.MayOwn(handle.Spec, status.Uid))
        {
            failure = Refuse(handle, history, new SystemCallError("open", EACCES), $"it belongs to uid {status.Uid}");
        }

        if (failure is null)
        {
            return pinned;
        }

        pinned.Dispose();
        return null;
    }

    private static DescriptorHandle? OpenQueue(ListenerHandle handle, HistoryRecorder history, out SystemCallFailure? failure)
    {
        var (spec, name) = (handle.Spec, handle.Spec.Address.Path!);
        var size = OpenedPath.QueueSize(spec);
        var queue = MessageQueues.Create(name, spec.Unix.Mode ?? DefaultMode, size, out var error);
        var isMade = queue is not null;
        if (error.Errno == EEXIST)
        {
            history.Add(
                HandlePhase.Create, "mq_open", requested: OptionValue.Of(handle.Requested), errno: error.Name, verdict: Verdict.Inherited,
                note: "it exists, with what waits in it");
            queue = MessageQueues.Open(name, out error);
        }

        if (queue is null)
        {
            failure = Refuse(handle, history, error, null);
            return null;
        }

        failure = null;
        if (Files.GetStatus(queue, out var status) is { } unread)
        {
            failure = Refuse(handle, history, unread, null);
        }
        else if (!isMade && !OpenedPath.MayOwn(spec, status.Uid))
        {
            failure = Refuse(handle, history, new SystemCallError("mq_open", EACCES), $"it belongs to uid {status.Uid}");
        }

        if (failure is not null)
        {
            queue.Dispose();
            return null;
        }

        MessageQueues.GetAttributes(queue, out var got);
        history.Add(
            HandlePhase.Create, "mq_open", requested: OptionValue.Of(handle.Requested), effective: OptionValue.Of(handle.Requested),
            note: isMade ? "O_RDWR, O_CREAT, O_EXCL, O_NONBLOCK; close-on-exec" : "O_RDWR, O_NONBLOCK; close-on-exec");
        ReadBack(history, "mq_maxmsg", spec.Opened.MaxMessages, got.MaxMessages);
        ReadBack(history, "mq_msgsize", spec.Opened.MessageSize, got.MessageSize);
        return queue;
    }

    /// <summary>mq_unlink() of the queue, if its name still leads to it.</summary>
    public static void RemoveQueue(ListenerHandle handle, HistoryRecorder history)
    {
        var name = handle.Spec.Address.Path!;
        using var there = MessageQueues.Open(name, out _);
        if (there is not null && Files.GetStatus(there, out var status) is null && status.Inode == handle.Inode)
        {
            history.AddCall(HandlePhase.Close, "mq_unlink", MessageQueues.Unlink(name), note: name);
        }
    }

    private static void ReadBack(HistoryRecorder history, string name, int? asked, long got) => history.Add(
        HandlePhase.Create, "mq_getattr", name, asked is { } number ? OptionValue.Of(number) : null, OptionValue.Of(got),
        verdict: asked is null || asked == got ? Verdict.Exact : Verdict.Inherited,
        note: asked is null || asked == got ? null : "of the queue that exists: the kernel cannot change it");

    private static SystemCallFailure Refuse(ListenerHandle handle, HistoryRecorder history, SystemCallError error, string? note)
    {
        history.Add(
            HandlePhase.Create, error.Call, requested: OptionValue.Of(handle.Requested), errno: error.Name,
            verdict: Verdict.Refused, note: note);
        return error.With(note is null ? handle.Requested : $"{handle.Requested}: {note}");
    }
}
