using System.Globalization;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>What a worker that leaves has left, in a few words.</summary>
internal static class DrainText
{
    /// <summary>A silence that is worth a word: what is alive says something more often.</summary>
    private const long LongSilence = 5_000;

    /// <summary>" with 3 connections", to follow the number of workers; nothing where that is not known.</summary>
    public static string With(int? connections) => connections switch
    {
        null => "",
        0 => " with no connection",
        1 => " with 1 connection",
        { } many => string.Create(CultureInfo.InvariantCulture, $" with {many} connections"),
    };

    /// <summary>Adds what is left, for how long, and until when it may be.</summary>
    public static void Add(Cell text, DrainDocument? drain, DateTimeOffset now)
    {
        if (drain is null)
        {
            return;
        }

        text.Then(string.Join(", ", drain.Listeners.Select(listener => string.Create(CultureInfo.InvariantCulture, $"{listener.Connections} of {listener.Name}"))));
        if (drain.OldestMs is > 0 and { } oldest)
        {
            text.Then($"oldest {HumanTime.Span(TimeSpan.FromMilliseconds(oldest))} at least");
        }

        if (drain.SilentMs is >= LongSilence and { } silent)
        {
            text.Then($"silent for {HumanTime.Span(TimeSpan.FromMilliseconds(silent))}");
        }

        if (drain.KeepsAccepting is { } kept)
        {
            text.Then($"keeps accepting on {kept.Listener}", Palette.Bad);
        }

        if (drain.KilledAt is { } at)
        {
            text.Then(at > now ? $"killed in {HumanTime.Span(at - now)}" : "killed now", Palette.Attention);
        }
    }
}
