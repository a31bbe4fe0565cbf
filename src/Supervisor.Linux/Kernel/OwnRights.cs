using System.Globalization;

namespace Supervisor.Linux.Kernel;

/// <summary>What this thread is permitted, by proc_pid_status(5).</summary>
public static class OwnRights
{
    // linux/capability.h.
    private const int ChangeOwner = 0;
    private const int Kill = 5;
    private const int BindService = 10;
    private const int Administration = 21;
    private const int BpfPrograms = 39;

    /// <summary>SECCOMP_MODE_FILTER, linux/seccomp.h.</summary>
    private const string Filter = "2";

    /// <summary>Whether it has CAP_KILL; true if that cannot be read.</summary>
    public static bool MaySignalAll => Capabilities is not { } set || Has(set, Kill);

    /// <summary>Whether it has CAP_CHOWN.</summary>
    public static bool MayChangeOwners => Capabilities is { } set && Has(set, ChangeOwner);

    /// <summary>Whether it has CAP_NET_BIND_SERVICE.</summary>
    public static bool MayBindAnyPort => Capabilities is { } set && Has(set, BindService);

    /// <summary>Whether it has CAP_BPF, or CAP_SYS_ADMIN, which includes it (capabilities(7)).</summary>
    public static bool MayLoadPrograms => Capabilities is { } set && (Has(set, BpfPrograms) || Has(set, Administration));

    /// <summary>Whether a seccomp filter decides which system calls it may make.</summary>
    public static bool IsFiltered => Field("Seccomp:") == Filter;

    private static ulong? Capabilities =>
        ulong.TryParse(Field("CapEff:"), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var set) ? set : null;

    private static bool Has(ulong set, int capability) => (set >> capability & 1) != 0;

    private static string? Field(string name)
    {
        try
        {
            return File.ReadLines("/proc/thread-self/status")
                .FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
