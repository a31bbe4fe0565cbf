using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Supervisor.Core;

namespace Supervisor.Daemon.Control;

/// <summary>A feature of a request that only a rule permits: the services that its answer may show.</summary>
internal sealed class AccessScope
{
    private readonly AccessRule[] _rules;

    /// <param name="rules">The rules that permit the request's verb to the client.</param>
    private AccessScope(AccessRule[] rules) => _rules = rules;

    /// <summary>Whether the answer to a request may show that service; everything, if the request needs no rule.</summary>
    public static bool Shows(HttpContext context, string? service) =>
        context.Features.Get<AccessScope>() is not { } scope
        || Array.Exists(scope._rules, rule => service is not null && rule.Covers(service));

    /// <summary>
    /// The scope of a request by the rules for its client; null with the missing right if no rule permits it.
    /// </summary>
    public static AccessScope? Of(HttpContext context, ClientCredentials client, AccessPolicy policy, out string missing)
    {
        var service = ServiceOf(context);
        if (VerbOf(context) is not { } verb)
        {
            missing = $"the right to {context.Request.Path} (no rule can give it)";
            return null;
        }

        AccessRule[] rules = [.. policy.Grants.Where(grant => client.Has(grant.Uid, grant.Gid)).Select(grant => grant.Rule)
            .Where(rule => rule.Verbs.Contains(verb))];
        var word = verb.ToString().ToLowerInvariant();
        missing = service is null ? $"the right \"{word}\"" : $"the right \"{word}\" for service {service}";
        var isList = service is null && verb is AccessVerb.Status or AccessVerb.Events;
        var permits = isList ? rules.Length > 0 : Array.Exists(rules, rule => rule.Covers(service));
        return permits ? new AccessScope(rules) : null;
    }

    /// <summary>The service that the request names, in its path or as the one that the answer shall show; null if it names none.</summary>
    public static string? ServiceOf(HttpContext context) => context.GetRouteValue("name") as string
        ?? (context.Request.Query["service"].ToString() is { Length: > 0 } only ? only : null);

    private static AccessVerb? VerbOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText switch
    {
        "/v1/status" or "/v1/services/{name}" => AccessVerb.Status,
        "/v1/events" => AccessVerb.Events,
        "/v1/reload" => AccessVerb.Reload,
        { } pattern when pattern.StartsWith("/v1/services/{name}/", StringComparison.Ordinal) =>
            Enum.TryParse<AccessVerb>(pattern[(pattern.LastIndexOf('/') + 1)..], ignoreCase: true, out var verb) ? verb : null,
        _ => null,
    };
}
