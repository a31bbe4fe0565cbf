using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

/// <summary>
/// A cgroup's share of disk time. Two mechanisms of the kernel follow weights, each with a file: io.cost (io.weight, 1 to 10000) and the
/// scheduler BFQ (io.bfq.weight, 1 to 1000). Which one works for a disk is the administrator's choice, so both get the weight. Any thread.
/// </summary>
internal static class IoWeight
{
    /// <summary>The weight of a cgroup for which none was written.</summary>
    public const int Default = 100;

    private const string CostFile = "io.weight";
    private const string BfqFile = "io.bfq.weight";
    private const int Most = 10_000;
    private const int MostOfBfq = 1000;

    /// <summary>Writes a weight of 1 to 10000 to the files that the kernel has. Null, or the error.</summary>
    public static SystemCallError? Write(string directory, int weight)
    {
        var hasBfq = File.Exists(Path.Combine(directory, BfqFile));
        var error = hasBfq ? Write(directory, BfqFile, OfBfq(weight)) : null;
        return hasBfq && !File.Exists(Path.Combine(directory, CostFile)) ? error : Write(directory, CostFile, weight) ?? error;
    }

    /// <summary>The weight, of 1 to 10000; null if the kernel has none. BFQ alone keeps weights above 100 rounded.</summary>
    public static int? Read(string directory) =>
        Number(directory, CostFile) ?? (Number(directory, BfqFile) is { } weight ? FromBfq(weight) : null);

    /// <summary>As systemd does for IOWeight=: up to the default the weights are equal, and above it they are scaled.</summary>
    private static int OfBfq(int weight) =>
        weight <= Default ? weight : Default + ((weight - Default) * (MostOfBfq - Default) / (Most - Default));

    private static int FromBfq(int weight) =>
        weight <= Default ? weight : Default + ((weight - Default) * (Most - Default) / (MostOfBfq - Default));

    private static SystemCallError? Write(string directory, string file, int weight) =>
        CgroupFile.Write(directory, file, string.Create(CultureInfo.InvariantCulture, $"default {weight}"));

    private static int? Number(string directory, string file) => (int?)CgroupFile.Number(CgroupFile.Lines(directory, file), "default");
}
