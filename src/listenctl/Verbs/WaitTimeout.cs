using System.CommandLine;
using System.Globalization;
using Supervisor.Core;
using Supervisor.Listenctl.Client;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>--timeout D</c> of the verbs that wait.</summary>
internal static class WaitTimeout
{
    /// <summary>The daemon measures the timeout; the client waits this much longer for its last document.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>The option.</summary>
    public static Option<TimeSpan?> Option() => new("--timeout")
    {
        HelpName = "D",
        Description = "Wait at most this long, for example 30s or 5m; the operation itself continues. Implies --wait",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (Duration.TryParse(text, out var duration) && duration > TimeSpan.Zero)
            {
                return duration;
            }

            result.AddError($"invalid duration \"{text}\" for --timeout: use for example 500ms, 30s or 5m");
            return null;
        },
    };

    /// <summary>The query of a request that waits, and until when the client waits for the answer.</summary>
    public static (string Query, Deadline Deadline) Of(TimeSpan? limit, TimeProvider clock) => limit is { } span
        ? (string.Create(CultureInfo.InvariantCulture, $"?wait=true&timeout_ms={(long)Math.Ceiling(span.TotalMilliseconds)}"),
            Deadline.After(span + Grace, clock))
        : ("?wait=true", Deadline.None);
}
