namespace Supervisor.Control;

/// <summary>Where the daemon's sockets lie.</summary>
/// <param name="Directory">The runtime directory.</param>
public sealed record RuntimePaths(string Directory)
{
    /// <summary>The control socket: HTTP/1.1 and JSON.</summary>
    public string ControlSocket => Path.Combine(Directory, "control.sock");

    /// <summary>The broker's socket.</summary>
    public string BrokerSocket => Path.Combine(Directory, "broker.sock");

    /// <summary>The folder of the workers' notify sockets.</summary>
    public string NotifyDirectory => Path.Combine(Directory, "notify");

    /// <summary>The state, for a successor of a daemon that ended without a word.</summary>
    public string StateFile => Path.Combine(Directory, "state.json");

    /// <summary>The keeper's socket, for the same.</summary>
    public string KeeperSocket => Path.Combine(Directory, "keeper.sock");

    /// <summary>The file whose lock says which daemon is in charge.</summary>
    public string LockFile => Path.Combine(Directory, "listend.lock");

    /// <summary>/run/listend for root; else $XDG_RUNTIME_DIR/listend; null where that variable is not set.</summary>
    /// <param name="isRoot">Whether the asker is root.</param>
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
