using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Notices that the file of a UNIX listener's socket, a link to it, a FIFO or a message queue was removed or replaced, or that the file
/// has another owner or mode. Names who may have done it, and with <c>enforce</c> restores it. Servers in Go and older gunicorn and
/// uwsgi remove the file when they exit.
/// </summary>
/// <param name="files">Looks at paths, and puts files back.</param>
/// <param name="holders">The processes that held a socket since the last check.</param>
/// <param name="isWorker">Whether a process belongs to a worker.</param>
/// <param name="remake">
/// Makes another socket soon, because the file cannot be put back as it was; false if it does not.
/// </param>
/// <param name="self">The daemon, as an actor of the history.</param>
internal sealed class SocketFileWatch(
    SocketFiles files, Func<ListenerHandle, ListenerSocket, IReadOnlyList<SocketHolderProcess>> holders, Func<int, bool> isWorker,
    Predicate<ListenerHandle> remake, HistoryActor self)
{
    /// <summary>Who removes a file or a link: no holder of the socket needs to be among them.</summary>
    private const string ByWriter = "by a process that may write to its folder";

    /// <summary>Who changes the owner or the mode of a file.</summary>
    private const string ByOwner = "by root or a process of the file's owner";

    /// <summary>What is wrong with the file, as text; null if nothing is, or if it cannot be seen.</summary>
    public string? Finding(ListenerHandle handle) => files.Look(handle, out var status) switch
    {
        SocketFileState.InPlace => SocketFileAccess.Differences(handle, status).FirstOrDefault() is { } change
            ? $"the {change.Name} of {handle.Spec.Address.Path} is {change.Now}, not {change.Before}"
            : null,
        SocketFileState.Missing => $"the {Noun(handle)} {handle.Spec.Address.Path} is missing",
        SocketFileState.OtherQueue => $"another message queue has the name {handle.Spec.Address.Path}",
        SocketFileState.OtherSocket => $"another socket is at {handle.Spec.Address.Path}",
        SocketFileState.OtherFile => $"another kind of file is at {handle.Spec.Address.Path}",
        SocketFileState.DirectoryMissing => $"the directory of {handle.Spec.Address.Path} is missing",
        _ => null,
    };

    private static string Noun(ListenerHandle handle) => handle.Spec.Address.Kind switch
    {
        ListenerKind.Fifo => "FIFO",
        ListenerKind.MessageQueue => "message queue",
        _ => "socket's file",
    };

    /// <summary>Compares the path with the socket.</summary>
    /// <param name="handle">The listener.</param>
    /// <param name="isAsked">Whether a reload asks for the repair, also without <c>enforce</c>.</param>
    /// <returns>Whether the listener gets another socket soon.</returns>
    public bool Check(ListenerHandle handle, bool isAsked)
    {
        if (handle is not { Spec.Address.HasName: true, Sockets: [var socket, ..] })
        {
            return false;
        }

        if (isAsked)
        {
            handle.IsPathSilent = false;
        }

        var state = files.Look(handle, out var status);
        if (state is SocketFileState.InPlace)
        {
            if (socket.HasDrifted)
            {
                socket.Drift.Remove(SocketChange.File);
            }

            CheckAccess(handle, socket, [.. SocketFileAccess.Differences(handle, status)], isAsked);
            CheckLinks(handle, socket, isAsked);
        }

        return state is not (SocketFileState.InPlace or SocketFileState.Unknown) && Handle(handle, socket, state, isAsked);
    }

    private void CheckAccess(ListenerHandle handle, ListenerSocket socket, SocketChange[] changes, bool isAsked)
    {
        if (socket.HasDrifted)
        {
            foreach (var name in (string[])[SocketChange.Owner, SocketChange.Mode])
            {
                if (!changes.Any(change => change.Name == name))
                {
                    socket.Drift.Remove(name);
                }
            }
        }

        foreach (var change in changes)
        {
            var suspects = holders(handle, socket);
            var isNews = Keep(socket, change, suspects, isAsked);
            var repairs = handle.Spec.Enforce || isAsked;
            if (isNews)
            {
                Record(handle, change, ByOwner, suspects, repairs);
            }

            if (repairs)
            {
                RepairAccess(handle, socket, change, isNews);
            }
        }
    }

    private void RepairAccess(ListenerHandle handle, ListenerSocket socket, SocketChange change, bool isNews)
    {
        var error = SocketFileAccess.Restore(handle, change);
        if (error is null)
        {
            socket.Drift.Remove(change.Name);
        }

        if (isNews)
        {
            handle.History.Add(
                HandlePhase.Repair, change.Call, change.Name, change.Before, error is null ? change.Before : change.Now, error?.Name,
                error is null ? Verdict.Exact : Verdict.Refused, self, error?.Text);
        }
    }

    /// <summary>Keeps a change as the socket's drift; whether it is to be recorded.</summary>
    private static bool Keep(ListenerSocket socket, SocketChange change, IReadOnlyList<SocketHolderProcess> suspects, bool isAsked)
    {
        var isNews = (socket.IsNews(change.Name, suspects) || isAsked) && socket.Drift.GetValueOrDefault(change.Name)?.Now != change.Now;
        socket.Drift[change.Name] = change;
        return isNews;
    }

    private static void Record(
        ListenerHandle handle, SocketChange change, string who, IReadOnlyList<SocketHolderProcess> suspects, bool repairs) =>
        handle.History.Add(
            HandlePhase.Drift, change.Call, change.Name, change.Before, change.Now, verdict: Verdict.Drifted,
            note: $"{who}{SocketHolderProcess.Candidates(suspects)}{(repairs ? "" : "; not repaired: enforce = false")}");

    private void CheckLinks(ListenerHandle handle, ListenerSocket socket, bool isAsked)
    {
        if (handle.Spec.Unix.Symlinks.IsEmpty || SocketLinks.Lost(handle) is not { Count: > 0 } lost)
        {
            if (socket.HasDrifted)
            {
                socket.Drift.Remove(SocketChange.Links);
            }

            return;
        }

        var text = string.Join(", ", lost.Select(one => $"{one.Link} {one.Now}"));
        var change = new SocketChange(
            SocketChange.Links, "unlink", null, OptionValue.Of(string.Join(' ', lost.Select(one => one.Link))), OptionValue.Of(text));
        var suspects = holders(handle, socket);
        var isNews = socket.Drift.GetValueOrDefault(change.Name)?.Now != change.Now && (socket.IsNews(change.Name, suspects) || isAsked);
        socket.Drift[change.Name] = change;
        var repairs = handle.Spec.Enforce || isAsked;
        if (isNews)
        {
            Record(handle, change, ByWriter, suspects, repairs);
        }

        if (!repairs)
        {
            return;
        }

        // A link that cannot be made again is not drift: it is shown as refused, with the cause.
        files.PutBackLinks(handle, [.. lost.Select(one => one.Link)]);
        socket.Drift.Remove(SocketChange.Links);
        var made = lost.Select(one => one.Link).Where(link => !SocketLinks.IsRefused(handle, link)).ToArray();
        if (isNews && made.Length > 0)
        {
            var links = OptionValue.Of(string.Join(' ', made));
            handle.History.Add(HandlePhase.Repair, "symlinkat", SocketChange.Links, links, links, actor: self, note: "made again");
        }
    }

    /// <summary>Whether the listener gets another socket soon.</summary>
    private bool Handle(ListenerHandle handle, ListenerSocket socket, SocketFileState state, bool isAsked)
    {
        var isQueue = handle.Spec.Address.Kind == ListenerKind.MessageQueue;
        var change = new SocketChange(
            SocketChange.File, isQueue ? "mq_unlink" : state == SocketFileState.OtherSocket ? "bind" : "unlink", null,
            OptionValue.Of(string.Create(
                CultureInfo.InvariantCulture, $"inode {(isQueue ? handle.Inode : handle.PathIdentity?.Inode)}")),
            OptionValue.Of(state switch
            {
                SocketFileState.OtherSocket => "another socket",
                SocketFileState.OtherQueue => "another queue",
                SocketFileState.OtherFile => "another file",
                SocketFileState.DirectoryMissing => "no directory",
                _ => "missing",
            }));
        var suspects = holders(handle, socket);
        var isNews = Keep(socket, change, suspects, isAsked);
        if (!isNews && !handle.Spec.Enforce && !isAsked)
        {
            return false;
        }

        var (kept, there) = WhyKept(handle, state);
        var mayRepair = handle.Spec.Enforce || isAsked;
        if (isNews)
        {
            var who = there is null
                ? (isQueue ? ByOwner : ByWriter) + SocketHolderProcess.Candidates(suspects)
                : string.Create(CultureInfo.InvariantCulture, $"{there.Name} (pid {there.Pid}) listens there");
            handle.History.Add(
                HandlePhase.Drift, change.Call, change.Name, OptionValue.Of(handle.Requested), change.Now, verdict: Verdict.Drifted,
                actor: there, note: $"{Finding(handle)}: {who}{kept ?? (mayRepair ? "" : "; not repaired: enforce = false")}");
        }

        return mayRepair && kept is null && Repair(handle, socket, isNews);
    }

    private bool Repair(ListenerHandle handle, ListenerSocket socket, bool isNews)
    {
        if (!files.TryPutBack(handle))
        {
            return remake(handle);
        }

        socket.Drift.Remove(SocketChange.File);
        if (isNews)
        {
            handle.History.Add(
                HandlePhase.Repair, "linkat", SocketChange.File, OptionValue.Of(handle.Requested), OptionValue.Of(handle.Requested),
                actor: self, note: "put back as another link of the same socket: what waits in its queue stays");
        }

        return false;
    }

    /// <summary>Why the file is not put back, null if it is; and the process that listens at the path instead.</summary>
    private (string? Why, HistoryActor? There) WhyKept(ListenerHandle handle, SocketFileState state)
    {
        if (handle.Spec.Address.Kind == ListenerKind.MessageQueue)
        {
            return (handle.Origin == HandleOrigin.InheritedSystemd
                ? "; not repaired: the program that passed the queue made it; restart that socket unit"
                : null, null);
        }

        if (state is SocketFileState.OtherFile)
        {
            return ("; not repaired: move it away, then listenctl reload", null);
        }

        if (state is SocketFileState.DirectoryMissing && handle.Spec.Unix.DirectoryMode is null)
        {
            return ("; not repaired: make the directory, then listenctl reload", null);
        }

        if (handle is { PathIdentity: null, Spec.Address.Kind: ListenerKind.Fifo })
        {
            return ("; not repaired: listend did not make the FIFO that was there", null);
        }

        if (handle.PathIdentity is null)
        {
            return ("; not repaired: the program that passed the socket made its file; restart that socket unit", null);
        }

        if (state is not SocketFileState.OtherSocket)
        {
            return (null, null);
        }

        var there = files.WhoListens(handle);
        return (there is not null && !isWorker(there.Pid) ? "; not repaired: stop it, then listenctl reload" : null, there);
    }
}
