using System.Globalization;
using Supervisor.Control;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>What a draining worker still has to finish.</summary>
internal static class DrainText
{
    /// <summary>Milliseconds without data that are worth a remark.</summary>
    private const long LongSilence = 5_000;

    /// <summary>Adds its connections, their age, and when it is killed.</summary>
    public static void Add(StyledText text, DrainDocument? drain, DateTimeOffset now)
    {
        if (drain is null)
        {
            return;
        }

        var counts = drain.Listeners.Select(
            listener => string.Create(CultureInfo.InvariantCulture, $"{listener.Connections} on {listener.Name}"));
        text.AppendItem(string.Join(", ", counts));
        if (drain.OldestMs is > 0 and { } oldest)
        {
            text.AppendItem($"oldest at least {HumanTime.Span(TimeSpan.FromMilliseconds(oldest))}");
        }

        if (drain.SilentMs is >= LongSilence and { } silent)
        {
            text.AppendItem($"silent for {HumanTime.Span(TimeSpan.FromMilliseconds(silent))}");
        }

        if (drain.KeepsAccepting is { } kept)
        {
            text.AppendItem($"keeps accepting on {kept.Listener}", Palette.Failure);
        }

        if (drain.KilledAt is { } at)
        {
            text.AppendItem(at > now ? $"killed in {HumanTime.Span(at - now)}" : "killed now", Palette.Warning);
        }
    }
}
