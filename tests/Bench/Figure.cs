namespace Supervisor.Bench;

/// <summary>One line of the table.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Ours">listend's.</param>
/// <param name="Yardstick">The C program's; null where there is none.</param>
/// <param name="Against">What the yardstick does.</param>
internal sealed record Figure(string What, string Unit, double Ours, double? Yardstick = null, string? Against = null)
{
    /// <summary>Of two series measured in turn: their medians, in milliseconds.</summary>
    public static Figure Of(string what, IReadOnlyList<long> ours, IReadOnlyList<long> yardstick, string against) =>
        new(what, "ms", Median(ours) / 1e6, Median(yardstick) / 1e6, against);

    /// <summary>The median; of an even number of values the upper one.</summary>
    public static long Median(IReadOnlyList<long> values) => values.Order().ElementAt(values.Count / 2);
}
