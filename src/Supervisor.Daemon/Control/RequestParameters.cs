using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Supervisor.Daemon.Control;

/// <summary>The query of a request. An unknown parameter is an error, so a mistyped <c>dry_run</c> cannot become a real change.</summary>
internal static class RequestParameters
{
    private static readonly string[] Switches = ["dry_run", "wait", "follow", "force"];

    /// <summary>What a document leaves out if it is false; only for reading.</summary>
    private static readonly string[] Parts = ["services", "usage", "options", "drift"];

    private static readonly string[] Values = ["timeout_ms", "workers", "worker", "signal", "after", "lines"];

    /// <summary>Why the query is invalid; null if it is valid.</summary>
    public static string? Misunderstood(HttpRequest request)
    {
        foreach (var (name, given) in request.Query)
        {
            if (given.Count > 1)
            {
                return $"parameter \"{name}\" appears {given.Count} times: use it once";
            }

            var isPart = !HttpMethods.IsPost(request.Method) && Parts.Contains(name);
            if ((isPart || Switches.Contains(name)) && Read(given.ToString()) is null)
            {
                return $"invalid {name} \"{given}\": use {name}=true or {name}=false";
            }

            if (HttpMethods.IsPost(request.Method) && !Switches.Contains(name) && !Values.Contains(name))
            {
                return $"unknown parameter \"{name}\": use {string.Join(", ", Switches.Concat(Values))}";
            }
        }

        return null;
    }

    /// <summary>The <c>timeout_ms</c> of a request that waits; null without one. False, and why, if it is not a number.</summary>
    public static bool TryTimeout(HttpRequest request, out TimeSpan? timeout, [NotNullWhen(false)] out string? wrong)
    {
        var text = request.Query["timeout_ms"].ToString();
        (timeout, wrong) = (null, null);
        if (text.Length == 0)
        {
            return true;
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
        {
            wrong = $"invalid timeout_ms \"{text}\": it is a number of milliseconds";
            return false;
        }

        timeout = TimeSpan.FromMilliseconds(milliseconds);
        return true;
    }

    /// <summary>The <c>lines</c> of a request for a stream; null without them. False, and why, if it is not a number.</summary>
    public static bool TryLines(HttpRequest request, out long? lines, out string wrong)
    {
        var text = request.Query["lines"].ToString();
        lines = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        wrong = lines is null && text.Length > 0 ? $"invalid number of lines \"{text}\"" : "";
        return wrong.Length == 0;
    }

    /// <summary>A switch; its name alone means true.</summary>
    public static bool IsSet(HttpRequest request, string name, bool otherwise = false) =>
        request.Query.TryGetValue(name, out var given) ? Read(given.ToString()) ?? otherwise : otherwise;

    /// <summary>
    /// The parameter <c>worker</c>, a slot; null if it is not given. False with the error if it is not a number.
    /// </summary>
    public static bool TryReadWorker(HttpRequest request, out int? slot, out string error)
    {
        var text = request.Query["worker"].ToString();
        slot = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        error = slot is null && text.Length > 0 ? $"invalid worker \"{text}\": it is a slot, a number from 0" : "";
        return error.Length == 0;
    }

    private static bool? Read(string text) => text switch
    {
        "" or "true" or "yes" or "1" => true,
        "false" or "no" or "0" => false,
        _ => null,
    };
}
