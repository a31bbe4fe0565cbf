using System.Globalization;

namespace Supervisor.EndToEnd;

/// <summary>
/// The deadline of every wait. It is long, because only a failure waits for it. LISTEND_TEST_PATIENCE sets another number of
/// seconds, for a machine that is busy with other work.
/// </summary>
internal static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(
        int.TryParse(
            Environment.GetEnvironmentVariable("LISTEND_TEST_PATIENCE"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? seconds
            : 60);
}
