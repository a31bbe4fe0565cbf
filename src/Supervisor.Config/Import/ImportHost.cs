namespace Supervisor.Config.Import;

/// <summary>
/// The host of an import, for specifiers that the other program replaces by facts of its host. A fact is null if it is unknown.
/// </summary>
/// <param name="Name">The host name, with its domain if it has one.</param>
/// <param name="PrettyName">PRETTY_HOSTNAME= of /etc/machine-info.</param>
/// <param name="MachineId">/etc/machine-id.</param>
/// <param name="BootId">The id of this boot, 32 hexadecimal digits.</param>
/// <param name="Kernel">The release of the kernel.</param>
/// <param name="Architecture">The architecture by systemd's name, such as <c>x86-64</c>.</param>
/// <param name="Release">The fields of os-release(5).</param>
/// <param name="Users">The users, passwd(5).</param>
public sealed record ImportHost(
    string? Name = null,
    string? PrettyName = null,
    string? MachineId = null,
    string? BootId = null,
    string? Kernel = null,
    string? Architecture = null,
    IReadOnlyDictionary<string, string>? Release = null,
    IReadOnlyList<ImportUser>? Users = null)
{
    /// <summary>A user by name or number; null if the host does not have it.</summary>
    internal ImportUser? User(string? name) => Users?.FirstOrDefault(user => user.Name == name || user.Uid == name);

    /// <summary>The user whose home has a file; null without one.</summary>
    internal ImportUser? UserOf(string fullPath) => (Users ?? [])
        .Where(user => user.Home.Length > 1 && fullPath.StartsWith(user.Home.TrimEnd('/') + "/", StringComparison.Ordinal))
        .MaxBy(user => user.Home.Length);

    /// <summary>A specifier of systemd.unit(5) that is a fact of the host; null if it is another one, or unknown.</summary>
    internal string? Specifier(char specifier) => specifier switch
    {
        'H' => Name,
        'l' => Name?.Split('.')[0],
        'q' => PrettyName ?? Name,
        'm' => MachineId,
        'b' => BootId,
        'v' => Kernel,
        'a' => Architecture,
        'o' => Field("ID"),
        'w' => Field("VERSION_ID"),
        'W' => Field("VARIANT_ID"),
        'B' => Field("BUILD_ID"),
        'M' => Field("IMAGE_ID"),
        'A' => Field("IMAGE_VERSION"),
        _ => null,
    };

    /// <summary>systemd takes nothing for a field that os-release does not have, src/shared/specifier.c.</summary>
    private string? Field(string name) => Release is null ? null : Release.GetValueOrDefault(name, "");
}
