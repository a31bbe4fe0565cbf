namespace Supervisor.Core.Protocols;

/// <summary>FDNAME=, the name under which a worker stores a descriptor: sd_pid_notify_with_fds(3).</summary>
public static class StoredName
{
    /// <summary>The name of a descriptor that was stored without a name.</summary>
    public const string Default = "stored";

    private const int MaxLength = 255;

    /// <summary>
    /// Whether a name is valid: at most 255 printable ASCII characters other than ":", which separates names in LISTEN_FDNAMES.
    /// </summary>
    public static bool IsValid(string name) =>
        name.Length <= MaxLength && name.All(c => c is >= ' ' and <= '~' and not ':');
}
