using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Supervisor.Daemon.Control;

namespace Supervisor.Manual;

/// <summary>The OpenAPI 3.1 document of the control interface: <see cref="ControlRoutes"/> and the types of the documents.</summary>
internal static partial class OpenApi
{
    private static readonly JsonSerializerOptions Format =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The text of the document.</summary>
    public static string Text()
    {
        var schemas = new OpenApiSchemas();
        var paths = new JsonObject();
        foreach (var route in ControlRoutes.All)
        {
            if (paths[route.Pattern] is not JsonObject path)
            {
                paths[route.Pattern] = path = new JsonObject();
            }

            path[route.Method.ToLowerInvariant()] = Operation(route, schemas);
        }

        var document = new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "listend control API",
                ["version"] = OpenApiResource.Version,
                ["description"] =
                    "HTTP/1.1 over RUNTIME/control.sock. Reading is for root, the daemon's user and the socket's group; changes are for "
                    + "root and the daemon's user. HEAD works wherever GET does. Clients have to ignore unknown members.",
                ["license"] = new JsonObject { ["name"] = "MIT", ["identifier"] = "MIT" },
            },
            ["servers"] = new JsonArray(new JsonObject
            {
                ["url"] = "http://listend",
                ["description"] = "any host name: the connection goes to the UNIX socket",
            }),
            ["security"] = new JsonArray(),
            ["tags"] = new JsonArray([.. ControlRoutes.All.Select(Tag).Distinct().Select(tag => new JsonObject { ["name"] = tag })]),
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas.All() },
        };
        return document.ToJsonString(Format) + "\n";
    }

    private static JsonObject Operation(ControlRoute route, OpenApiSchemas schemas)
    {
        var parameters = new JsonArray();
        if (route.Pattern.Contains("{name}", StringComparison.Ordinal))
        {
            parameters.Add(Parameter("name", "path", "the name", isRequired: true, new JsonObject { ["type"] = "string" }));
        }

        foreach (var one in route.Parameters)
        {
            var type = new JsonObject { ["type"] = one.Type };
            if (one.Values.Count > 0)
            {
                type["enum"] = new JsonArray([.. one.Values.Select(value => JsonValue.Create(value))]);
            }

            parameters.Add(Parameter(one.Name, "query", one.Says, one.IsRequired, type));
        }

        var operation = new JsonObject
        {
            ["operationId"] = Words().Replace($"{route.Method.ToLowerInvariant()} {route.Pattern}", "-").Trim('-'),
            ["tags"] = new JsonArray(Tag(route)),
            ["summary"] = route.Says,
        };
        if (parameters.Count > 0)
        {
            operation["parameters"] = parameters;
        }

        operation["responses"] = Responses(route, schemas);
        return operation;
    }

    private static JsonObject Responses(ControlRoute route, OpenApiSchemas schemas)
    {
        var responses = new JsonObject();
        foreach (var same in route.Answers.GroupBy(answer => answer.Status))
        {
            var content = new JsonObject();
            foreach (var answer in same)
            {
                content[answer.Media] = new JsonObject { ["schema"] = Schema(answer, schemas) };
            }

            responses[$"{same.Key}"] = new JsonObject
            {
                ["description"] = string.Join("; ", same.Select(answer => answer.Says)),
                ["content"] = content,
            };
        }

        foreach (var status in route.Problems)
        {
            responses[$"{status}"] = new JsonObject
            {
                ["description"] = "a problem document (RFC 9457)",
                ["content"] = new JsonObject
                {
                    ["application/problem+json"] = new JsonObject { ["schema"] = schemas.Reference(ControlRoute.Problem(status)) },
                },
            };
        }

        return responses;
    }

    private static JsonObject Schema(RouteAnswer answer, OpenApiSchemas schemas)
    {
        if (answer.Document is not { } type)
        {
            return new JsonObject { ["type"] = answer.Media == "application/json" ? "object" : "string" };
        }

        // A stream is text to a parser of JSON; the schema is that of each document in it.
        return answer.IsArray
            ? new JsonObject { ["type"] = "array", ["items"] = schemas.Reference(type) }
            : schemas.Reference(type);
    }

    private static JsonObject Parameter(string name, string place, string says, bool isRequired, JsonObject schema)
    {
        var parameter = new JsonObject { ["name"] = name, ["in"] = place, ["description"] = says };
        if (isRequired)
        {
            parameter["required"] = true;
        }

        parameter["schema"] = schema;
        return parameter;
    }

    private static string Tag(ControlRoute route) => route.Pattern.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        ["v1", "services", ..] => "services",
        ["v1", "listeners", ..] => "listeners",
        ["v1", "diagnose" or "connections", ..] => "diagnosis",
        _ => "daemon",
    };

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.IgnoreCase)]
    private static partial Regex Words();
}
