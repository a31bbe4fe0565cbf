namespace Supervisor.Core.Protocols;

/// <summary>FDNAME=, the name under which a worker stores a descriptor: sd_pid_notify_with_fds(3).</summary>
public static class StoredName
{
    /// <summary>What a descriptor without a name is called.</summary>
    public const string Default = "stored";

    private const int MaxLength = 255;

    /// <summary>Whether it is one: 1 to 255 printable ASCII characters other than ":", which separates names in LISTEN_FDNAMES.</summary>
    public static bool IsValid(string name) =>
        name.Length is >= 1 and <= MaxLength && name.All(c => c is >= ' ' and <= '~' and not ':');
}
