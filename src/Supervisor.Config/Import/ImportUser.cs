namespace Supervisor.Config.Import;

/// <summary>A user of the host, passwd(5).</summary>
public sealed record ImportUser(string Name, string Uid, string Gid, string Home, string Shell)
{
    /// <summary>A specifier of systemd.unit(5) as the manager of this user has it; null if it is another one.</summary>
    internal string? Specifier(char specifier) => specifier switch
    {
        'h' => Home,
        'u' => Name,
        'U' => Uid,
        'G' => Gid,
        's' => Shell,
        't' => "/run/user/" + Uid,
        'S' => Home + "/.local/state",
        'L' => Home + "/.local/state/log",
        'C' => Home + "/.cache",
        'E' => Home + "/.config",
        'D' => Home + "/.local/share",
        _ => null,
    };
}
