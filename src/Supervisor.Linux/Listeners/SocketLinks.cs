using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// The symbolic links to a UNIX socket's path (<c>unix.symlinks</c>), as systemd makes them for Symlinks=. A refused link is a
/// warning: the listener works without it. Only a link of this listener or one that leads nowhere is replaced. Nothing is accessed in
/// a directory that another user can replace.
/// </summary>
internal static class SocketLinks
{
    private const string Setting = SocketChange.Links;

    /// <summary>Systemd's default of DirectoryMode=, systemd.socket(5).</summary>
    private const int UsualDirectoryMode = 0x1ED;

    /// <summary>Makes the links that are missing.</summary>
    /// <param name="handle">The listener, whose socket is bound.</param>
    /// <param name="history">Where each call is recorded.</param>
    /// <param name="formerPath">A path to which links of this listener may still lead; null for none.</param>
    /// <param name="lost">Only these; null for all.</param>
    public static void Make(
        ListenerHandle handle, HistoryRecorder history, string? formerPath = null, IReadOnlyCollection<string>? lost = null)
    {
        if (handle is not { Descriptor: not null, Spec: { Address: { HasFile: true, Path: { } path }, Unix: var unix } })
        {
            return;
        }

        var refused = new List<HistoryEntry>();
        foreach (var link in lost ?? unix.Symlinks)
        {
            if (Make(history, link, path, unix.DirectoryMode ?? UsualDirectoryMode, formerPath) && handle.History.Latest is { } entry)
            {
                refused.Add(entry);
            }
        }

        handle.RefusedOfFile = [.. handle.RefusedOfFile.Where(entry => entry.Option != Setting || lost is not null), .. refused];
    }

    /// <summary>Removes links that still lead to the listener's path, except <paramref name="kept"/>.</summary>
    public static void Remove(ListenerHandle handle, HistoryRecorder history, IEnumerable<string>? kept = null)
    {
        if (handle.Spec is not { Address: { HasFile: true, Path: { } path }, Unix.Symlinks: var links })
        {
            return;
        }

        foreach (var link in links.Except(kept ?? []))
        {
            using var walk = Look(link);
            if (TargetOf(walk) == path)
            {
                history.AddSetting(HandlePhase.Close, "unlinkat", Setting, OptionValue.Of(link), FilesAt.Unlink(walk.Parent!, walk.Name));
            }
        }
    }

    /// <summary>
    /// The links of a listener that no longer lead to its path, each with what is there now. One that was refused when it was to be made
    /// is not among them, and neither is one that cannot be seen.
    /// </summary>
    public static IReadOnlyList<(string Link, string Now)> Lost(ListenerHandle handle)
    {
        if (handle is not
            { Descriptor: not null, Spec: { Address: { HasFile: true, Path: { } path }, Unix.Symlinks: { IsEmpty: false } links } })
        {
            return [];
        }

        var lost = new List<(string, string)>();
        foreach (var link in links.Where(link => !IsRefused(handle, link)))
        {
            using var walk = Look(link);
            if (!walk.IsStopped && TargetOf(walk) is var target && target != path)
            {
                lost.Add((link, walk.Target is null ? "missing" : target is null ? "another file" : $"leads to {target}"));
            }
        }

        return lost;
    }

    /// <summary>Whether a link was refused when it was to be made.</summary>
    public static bool IsRefused(ListenerHandle handle, string link) =>
        handle.RefusedOfFile.Any(entry => entry.Option == Setting && entry.Requested == OptionValue.Of(link));

    /// <summary>Makes a link; true if that was refused, and recorded.</summary>
    private static bool Make(HistoryRecorder history, string link, string path, int directoryMode, string? formerPath)
    {
        var note = Prepare(history, link, path, directoryMode, formerPath, out var walk);
        using (walk)
        {
            if (note is null && TargetOf(walk) == path)
            {
                return false;
            }

            var error = note is null ? FilesAt.SymbolicLink(path, walk.Parent!, walk.Name) : new SystemCallError("symlinkat", EEXIST);
            history.AddSetting(HandlePhase.PreListen, "symlinkat", Setting, OptionValue.Of(link), error, note);
            return error is not null;
        }
    }

    /// <summary>Makes the link's directory and the name free. Returns why that is not done; null if it is, or the link exists.</summary>
    private static string? Prepare(
        HistoryRecorder history, string link, string path, int directoryMode, string? formerPath, out PathWalk walk)
    {
        var refused = SocketDirectory.Make(history, Path.GetDirectoryName(link) ?? "/", directoryMode, out var note);
        walk = Look(link);
        if (refused is { } error)
        {
            return note ?? $"{Path.GetDirectoryName(link)}: {error.Text}";
        }

        if (walk.Target is null || TargetOf(walk) == path)
        {
            return walk.Parent is null ? $"{link}: {walk.Error?.Text}" : null;
        }

        var target = TargetOf(walk);
        if (target is null || (target != formerPath && !LeadsNowhere(link)))
        {
            return target is null ? $"another file is at {link}: move it away" : $"{link} leads to {target}: remove it";
        }

        var unlinked = FilesAt.Unlink(walk.Parent!, walk.Name);
        history.AddSetting(HandlePhase.PreListen, "unlinkat", Setting, OptionValue.Of(link), unlinked, $"led to {target}");
        return unlinked is { } kept ? kept.Text : null;
    }

    private static PathWalk Look(string link) => PathWalk.Of(link, PathTrust.InForce, followLast: false, stopAtFlaw: true);

    /// <summary>Where the link leads; null if it is not a link, or in a directory that another user can replace.</summary>
    private static string? TargetOf(PathWalk walk) => walk is { IsStopped: false, Target: { } pinned, Parent: not null }
        ? FilesAt.ReadLink(pinned, out _)
        : null;

    private static bool LeadsNowhere(string link)
    {
        using var walk = PathWalk.Of(link, PathTrust.InForce, stopAtFlaw: true);
        return walk is { IsStopped: false, IsMissing: true };
    }
}
