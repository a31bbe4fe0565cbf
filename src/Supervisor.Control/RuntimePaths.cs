namespace Supervisor.Control;

/// <summary>The paths of the daemon's sockets and files.</summary>
/// <param name="Directory">The runtime directory.</param>
public sealed record RuntimePaths(string Directory)
{
    /// <summary>The control socket: HTTP/1.1 and JSON.</summary>
    public string ControlSocket => Path.Combine(Directory, "control.sock");

    /// <summary>The broker's socket.</summary>
    public string BrokerSocket => Path.Combine(Directory, "broker.sock");

    /// <summary>The folder of the workers' notify sockets.</summary>
    public string NotifyDirectory => Path.Combine(Directory, "notify");

    /// <summary>The folder of further names of UNIX sockets, from which a removed socket file is put back.</summary>
    public string SpareDirectory => Path.Combine(Directory, "sockets");

    /// <summary>The state, from which a successor recovers after the daemon has died.</summary>
    public string StateFile => Path.Combine(Directory, "state.json");

    /// <summary>The socket of the keeper, which holds the listeners for such a successor.</summary>
    public string KeeperSocket => Path.Combine(Directory, "keeper.sock");

    /// <summary>The lock file: the daemon that runs in this directory holds its lock.</summary>
    public string LockFile => Path.Combine(Directory, "listend.lock");

    /// <summary>/run/listend for root, otherwise $XDG_RUNTIME_DIR/listend; null if that variable is not set.</summary>
    /// <param name="isRoot">Whether the caller is root.</param>
    /// <param name="variable">The environment; the process's own by default.</param>
    public static RuntimePaths? Default(bool isRoot, Func<string, string?>? variable = null)
    {
        if (isRoot)
        {
            return new RuntimePaths("/run/listend");
        }

        var user = (variable ?? Environment.GetEnvironmentVariable)("XDG_RUNTIME_DIR");
        return string.IsNullOrEmpty(user) ? null : new RuntimePaths(Path.Combine(user, "listend"));
    }
}
