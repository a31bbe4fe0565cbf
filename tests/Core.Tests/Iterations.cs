using System.Globalization;

namespace Supervisor.Core.Tests;

/// <summary>How often a property is tried: the number given, times LISTEND_TEST_ITERATIONS where that is set.</summary>
internal static class Iterations
{
    public static long Of(long count) =>
        count * (double.TryParse(
            Environment.GetEnvironmentVariable("LISTEND_TEST_ITERATIONS"),
            NumberStyles.Float,
            CultureInfo.InvariantCulture,
            out var factor) && factor > 0
            ? (long)Math.Ceiling(factor)
            : 1);
}
