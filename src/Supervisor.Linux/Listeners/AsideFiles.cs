namespace Supervisor.Linux.Listeners;

/// <summary>The names next to the path of a UNIX listener that the daemon has made.</summary>
internal sealed class AsideFiles
{
    /// <summary>The name that the former socket's file got when this socket took the path by exchange; null if it did not.</summary>
    public AsideFile? Former { get; set; }

    /// <summary>The hidden second name of the socket's own file (<see cref="SocketSpares"/>); null if it has none.</summary>
    public AsideFile? Hidden { get; set; }

    /// <summary>The names of former sockets that are still open.</summary>
    public IReadOnlyList<AsideFile> OfFormers { get; private set; } = [];

    /// <summary>This socket replaces that of <paramref name="former"/>, whose names stay until it is closed.</summary>
    public void Follow(AsideFiles former) =>
        OfFormers = [.. former.OfFormers.Append(former.Hidden).Append(Former).OfType<AsideFile>().Where(file => !file.IsRemoved)];
}
