using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>A new UNIX socket is bound to a name of its own and then renamed to the path of the former one.</summary>
internal static class PathRename
{
    /// <summary>
    /// An unused name next to a path, which bind() accepts too: the former sockets of earlier reloads may still have some.
    /// </summary>
    public static string FreeName(string path)
    {
        const int most = 1000;
        var pid = string.Create(CultureInfo.InvariantCulture, $".{Processes.CurrentPid}");
        var free = Beside(path, pid);
        using var place = SocketPlace.Open(free, out _, out _);
        for (var number = 2; number < most && place is not null && place.GetStatus(out _, Path.GetFileName(free)) is null; number++)
        {
            free = Beside(path, string.Create(CultureInfo.InvariantCulture, $"{pid}.{number}"));
        }

        return free;
    }

    /// <summary>The path with a suffix. The end of a long name makes room for it.</summary>
    private static string Beside(string path, string suffix)
    {
        var folder = Path.GetDirectoryName(path)!.Length;
        var end = path.Length;
        while (end > folder + 1
            && (char.IsHighSurrogate(path[end - 1])
                || ByteText.GetByteCount(path[..end]) + suffix.Length > ListenAddress.MaxUnixPathBytes))
        {
            end--;
        }

        return path[..end] + suffix;
    }

    /// <summary>
    /// Gives the socket at <paramref name="aside"/> the path of <paramref name="address"/>: by exchange, so that the former socket
    /// can have its path back; by replacing, if the file system cannot exchange or nothing is there.
    /// </summary>
    public static SystemCallFailure? Take(ListenerHandle handle, HistoryRecorder history, string aside, ListenAddress address)
    {
        using var place = SocketPlace.Open(address.Path!, out var unopened, out _);
        var from = Path.GetFileName(aside);
        var isExchanged = place is not null && place.Exchange(from, place.Name) is null;
        var error = place is null ? unopened : isExchanged ? null : place.Rename(from, place.Name);
        var how = isExchanged
            ? $"exchanged with the former socket's file, which stays at {aside} until that socket is closed"
            : "replaced the former socket's file";
        history.Add(
            HandlePhase.Bind, "renameat2", "address", OptionValue.Of(address.ToString()),
            error is null ? OptionValue.Of(address.ToString()) : null, error?.Name, error is null ? Verdict.Exact : Verdict.Refused,
            $"{how}; /proc/net/unix still shows the name that bind() got");
        if (error is { } refused)
        {
            return refused.With($"{aside}, {address}");
        }

        handle.Effective = address;
        handle.Aside.Former = isExchanged && place!.Identity(from) is { } former ? new AsideFile(aside, former) : null;
        return null;
    }
}
