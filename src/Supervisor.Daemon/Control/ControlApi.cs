using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Supervisor.Daemon.Model;

namespace Supervisor.Daemon.Control;

/// <summary>
/// The table of the control interface's resources. Every handler asks the loop, which owns all state, and writes the answer.
/// Reading is for root, the daemon's user and the group of the socket; a change needs root or the daemon's user
/// (<see cref="ClientCredentials"/>), or a rule of [access.NAME] that permits it (<see cref="AccessScope"/>).
/// </summary>
internal sealed class ControlApi(
    ControlContext daemon, ControlVerbs verbs, ControlGroup group, AccessPolicy access, CancellationToken stopping)
{
    /// <summary>Adds the resources to the application.</summary>
    public void Map(WebApplication application)
    {
        var services = new ServiceResource(daemon, stopping);
        var listeners = new ListenerResource(daemon, stopping);
        var streams = new StreamResource(daemon, stopping);
        var whole = new DaemonResource(daemon, verbs, stopping);
        var diagnosis = new DiagnosisResource(daemon);
        (string Pattern, RequestDelegate Handler)[] documents =
        [
            ("/v1/status", whole.Status),
            ("/v1/services/{name}", services.Get),
            ("/v1/services/{name}/logs", streams.Logs),
            ("/v1/listeners", listeners.List),
            ("/v1/listeners/{name}", listeners.Get),
            ("/v1/listeners/{name}/history", listeners.History),
            ("/v1/events", streams.Events),
            ("/v1/diagnose", diagnosis.Diagnose),
            ("/v1/connections", diagnosis.Connections),
            ("/healthz", DaemonResource.Health),
            ("/readyz", whole.Ready),
            ("/metrics", whole.Metrics),
        ];
        (string Pattern, RequestDelegate Handler)[] changes =
        [
            ("/v1/services/{name}/start", services.Start),
            ("/v1/services/{name}/stop", services.Stop),
            ("/v1/services/{name}/restart", services.Restart),
            ("/v1/services/{name}/promote", services.Promote),
            ("/v1/services/{name}/abort", services.Abort),
            ("/v1/services/{name}/scale", services.Scale),
            ("/v1/services/{name}/signal", services.Signal),
            ("/v1/reload", whole.Reload),
            ("/v1/upgrade", whole.Upgrade),
        ];

        application.Use(CheckClient);
        application.Use(ExplainFailures);
        foreach (var (pattern, handler) in documents)
        {
            // HEAD is GET without the document (RFC 9110, section 9.3.2).
            application.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], handler);
        }

        foreach (var (pattern, handler) in changes)
        {
            application.MapPost(pattern, handler);
        }
    }

    private Task CheckClient(HttpContext context, RequestDelegate next)
    {
        var method = context.Request.Method;
        var isChange = !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method);
        var client = ClientCredentials.Of(context);
        if (client.Refusal(isChange, group.Id) is not { } refusal)
        {
            return next(context);
        }

        if (AccessScope.Of(context, client, access, out var missing) is { } scope)
        {
            context.Features.Set(scope);
            return next(context);
        }

        var by = ClientCredentials.Requester(context);
        var (path, service) = (context.Request.Path.ToString(), context.GetRouteValue("name") as string);
        daemon.Loop.Post(() => daemon.Requests.Denied($"{method} {path}", service, missing, by));
        return Answer.Problem(
            context, StatusCodes.Status403Forbidden, "not permitted",
            access.Grants.Any(grant => client.Has(grant.Uid, grant.Gid)) ? $"uid {by.Uid} lacks {missing}; {refusal}" : refusal);
    }

    private static async Task ExplainFailures(HttpContext context, RequestDelegate next)
    {
        try
        {
            if (context.GetEndpoint() is not null && RequestParameters.Misunderstood(context.Request) is { } misunderstood)
            {
                await Answer.BadRequest(context, misunderstood);
                return;
            }

            await next(context);

            // A request without a handler: routing has set the status, and Allow.
            if (!context.Response.HasStarted && context.Response.ContentType is null)
            {
                await (context.Response.StatusCode switch
                {
                    StatusCodes.Status404NotFound and var status => Answer.Problem(
                        context, status, "no such resource", $"listend {DaemonInfo.Version} has no resource {context.Request.Path}"),
                    StatusCodes.Status405MethodNotAllowed and var status => Answer.Problem(
                        context, status, "method not allowed",
                        $"{context.Request.Path} does not accept {context.Request.Method}: use {context.Response.Headers.Allow}"),
                    _ => Task.CompletedTask,
                });
            }
        }
        catch (Exception exception) when (!context.Response.HasStarted && exception is not OperationCanceledException)
        {
            await Answer.Problem(context, StatusCodes.Status500InternalServerError, "internal error", exception.Message);
        }
    }
}
