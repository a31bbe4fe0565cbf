using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Supervisor.Daemon.Model;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Routes requests to the control interface's resources (<see cref="ControlRoutes"/>). Every handler asks the loop, which owns all state,
/// and writes the answer. Reading is for root, the daemon's user and the group of the socket; a change needs root or the daemon's user
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
        (ControlRoute Route, RequestDelegate Handler)[] resources =
        [
            (ControlRoutes.Status, whole.Status),
            (ControlRoutes.Service, services.Get),
            (ControlRoutes.Logs, streams.Logs),
            (ControlRoutes.Listeners, listeners.List),
            (ControlRoutes.Listener, listeners.Get),
            (ControlRoutes.History, listeners.History),
            (ControlRoutes.Events, streams.Events),
            (ControlRoutes.Diagnose, diagnosis.Diagnose),
            (ControlRoutes.Connections, diagnosis.Connections),
            (ControlRoutes.Health, DaemonResource.Health),
            (ControlRoutes.Ready, whole.Ready),
            (ControlRoutes.Metrics, whole.Metrics),
            (ControlRoutes.OpenApi, OpenApiResource.Get),
            (ControlRoutes.Start, services.Start),
            (ControlRoutes.Stop, services.Stop),
            (ControlRoutes.Restart, services.Restart),
            (ControlRoutes.Promote, services.Promote),
            (ControlRoutes.Abort, services.Abort),
            (ControlRoutes.Scale, services.Scale),
            (ControlRoutes.Signal, services.Signal),
            (ControlRoutes.Reload, whole.Reload),
            (ControlRoutes.Upgrade, whole.Upgrade),
        ];

        application.Use(CheckClient);
        application.Use(ExplainFailures);
        foreach (var (route, handler) in resources)
        {
            // HEAD is GET without the document (RFC 9110, section 9.3.2).
            string[] methods = route.Method == HttpMethods.Get ? [HttpMethods.Get, HttpMethods.Head] : [route.Method];
            application.MapMethods(route.Pattern, methods, handler);
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
        var (path, service) = (context.Request.Path.ToString(), AccessScope.ServiceOf(context));
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
