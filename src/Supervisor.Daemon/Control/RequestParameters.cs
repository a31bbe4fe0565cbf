using Microsoft.AspNetCore.Http;

namespace Supervisor.Daemon.Control;

/// <summary>The query of a request. What is asked is understood as a whole, or refused: a mistyped <c>dry_run</c> must not become the change that it asked about.</summary>
internal static class RequestParameters
{
    private static readonly string[] Switches = ["dry_run", "wait", "follow"];
    private static readonly string[] Values = ["timeout_ms", "workers", "signal", "after", "lines"];

    /// <summary>Why the query cannot be understood; null where it can.</summary>
    public static string? Misunderstood(HttpRequest request)
    {
        foreach (var (name, given) in request.Query)
        {
            if (given.Count > 1)
            {
                return $"{name} is given {given.Count} times: write it once";
            }

            if (Switches.Contains(name) && Read(given.ToString()) is null)
            {
                return $"{name} \"{given}\" is neither yes nor no: write {name}=true or {name}=false";
            }

            if (HttpMethods.IsPost(request.Method) && !Switches.Contains(name) && !Values.Contains(name))
            {
                return $"there is no parameter \"{name}\"; there are {string.Join(", ", Switches.Concat(Values))}";
            }
        }

        return null;
    }

    /// <summary>A switch: on where its name stands alone.</summary>
    public static bool IsSet(HttpRequest request, string name, bool otherwise = false) =>
        request.Query.TryGetValue(name, out var given) ? Read(given.ToString()) ?? otherwise : otherwise;

    private static bool? Read(string text) => text switch
    {
        "" or "true" or "yes" or "1" => true,
        "false" or "no" or "0" => false,
        _ => null,
    };
}
