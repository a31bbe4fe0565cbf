namespace Supervisor.Bench;

/// <summary>One line of the table.</summary>
/// <param name="What">The measurement.</param>
/// <param name="Unit">The unit.</param>
/// <param name="Ours">listend's value.</param>
/// <param name="Yardstick">The C program's value; null without one.</param>
/// <param name="Against">What the yardstick does.</param>
internal sealed record Figure(string What, string Unit, double Ours, double? Yardstick = null, string? Against = null)
{
    /// <summary>The medians of two series that were measured by turns, in milliseconds.</summary>
    public static Figure Of(string what, IReadOnlyList<long> ours, IReadOnlyList<long> yardstick, string against) =>
        new(what, "ms", Median(ours) / 1e6, Median(yardstick) / 1e6, against);

    /// <summary>The median; with an even number of values the upper one.</summary>
    public static long Median(IReadOnlyList<long> values) => values.Order().ElementAt(values.Count / 2);
}
