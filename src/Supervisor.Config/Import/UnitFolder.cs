namespace Supervisor.Config.Import;

/// <summary>Folders of units, systemd.unit(5): a file of a folder with a higher priority replaces files of the same name.</summary>
internal static class UnitFolder
{
    /// <summary>Folders of the system and user managers, highest priority first.</summary>
    private static readonly string[] ByPriority = ["/etc/systemd/", "/run/systemd/", "/usr/local/lib/systemd/", "/lib/systemd/"];

    /// <summary>The priority of a file's folder: 0 is the highest. Another folder is as /etc.</summary>
    public static int Rank(string fullPath)
    {
        var rank = Array.FindIndex(ByPriority, folder => fullPath.Contains(folder, StringComparison.Ordinal));
        return Math.Max(0, rank);
    }

    /// <summary>
    /// The names in front of ".d" of a unit's drop-in folders, highest priority first: the unit, its template, its name cut
    /// at each "-", and its type (src/shared/dropin.c).
    /// </summary>
    public static IEnumerable<string> DropInNames(string unit)
    {
        var dot = unit.LastIndexOf('.');
        var (stem, type) = (unit[..dot], unit[dot..]);
        yield return unit;
        var at = stem.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0 && at + 1 < stem.Length)
        {
            yield return stem[..(at + 1)] + type;
        }

        var prefix = at >= 0 ? stem[..at] : stem;
        var suffix = at >= 0 ? "@" : "";
        for (var dash = prefix.LastIndexOf('-'); dash > 0; dash = prefix.LastIndexOf('-', dash - 1))
        {
            if (dash + 1 < prefix.Length || suffix.Length > 0)
            {
                yield return prefix[..(dash + 1)] + type;
            }
        }

        yield return type[1..];
    }
}
