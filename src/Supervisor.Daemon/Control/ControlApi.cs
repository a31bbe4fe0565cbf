using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Supervisor.Control;
using Supervisor.Core.Listeners.History;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Daemon.Control;

/// <summary>
/// The control interface: each handler asks the loop, which owns all state, and writes what it answers. Reading is for
/// whoever may connect; what changes anything is for root and the daemon's own user, known by SO_PEERCRED.
/// </summary>
internal sealed partial class ControlApi
{
    private readonly ControlContext _daemon;
    private readonly ControlVerbs _verbs;
    private readonly CancellationToken _stopping;

    public ControlApi(ControlContext daemon, ControlVerbs verbs, CancellationToken stopping)
    {
        _daemon = daemon;
        _verbs = verbs;
        _stopping = stopping;
    }

    public void Map(WebApplication application)
    {
        application.Use(async (context, next) =>
        {
            context.Features.Get<FirstRequest>()?.Hear();
            var place = context.Features.Get<ConnectionPlaces.Place>();
            place?.Begin();
            try
            {
                await next(context);
            }
            finally
            {
                place?.End();
            }
        });
        application.Use(ExplainFailures);
        MapDocument(application, "/v1/status", Status);
        MapDocument(application, "/v1/services/{name}", Service);
        MapDocument(application, "/v1/listeners", Listeners);
        MapDocument(application, "/v1/listeners/{name}", Listener);
        MapDocument(application, "/v1/listeners/{name}/history", History);
        MapServices(application);
        MapStreams(application);
        application.MapPost("/v1/reload", Reload);
        application.MapPost("/v1/upgrade", Upgrade);
        MapDocument(application, "/healthz", context => Text(context, StatusCodes.Status200OK, "ok"));
        MapDocument(application, "/readyz", Ready);
        MapDocument(application, "/metrics", Metrics);
    }

    /// <summary>What can be read to its end: HEAD is what GET is, without the document (RFC 9110, section 9.3.2).</summary>
    private static void MapDocument(WebApplication application, string pattern, RequestDelegate handler) =>
        application.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], handler);

    private async Task Metrics(HttpContext context) =>
        await MetricsServer.WriteAsync(context, await _daemon.Loop.Ask(() => Control.Metrics.Text(_daemon.Info, _daemon.Listeners, _daemon.Services)));

    private async Task Status(HttpContext context)
    {
        var (document, connections) = await _daemon.Loop.Ask(() => (Documents.Status(_daemon), Counts()));
        await Json(context, CgroupUsage.Fill(connections.Fill(document)), ControlJson.Default.StatusDocument);
    }

    private async Task Service(HttpContext context)
    {
        var name = Name(context);
        var (document, connections) = await _daemon.Loop.Ask(() =>
            (Find(name) is { } runner ? Documents.Service(runner, _daemon.Loop.Now, _daemon.Loop.Time.GetUtcNow()) : null, Counts()));
        await (document is null ? NoService(context, name) : Json(context, CgroupUsage.Fill(connections.Fill(document)), ControlJson.Default.ServiceDocument));
    }

    private async Task Listeners(HttpContext context) => await Json(
        context,
        await _daemon.Loop.Ask(() => _daemon.Listeners.Handles.ToArray().Select(Read).ToList()),
        ControlJson.Default.ListListenerDocument);

    private async Task Listener(HttpContext context)
    {
        var name = Name(context);
        var document = await _daemon.Loop.Ask(() => _daemon.Listeners.Find(name) is { } handle ? Read(handle) : null);
        await (document is null ? NoListener(context, name) : Json(context, document, ControlJson.Default.ListenerDocument));
    }

    /// <summary>A listener as it is now: who asks gets what the kernel says, put in order before.</summary>
    private ListenerDocument Read(ListenerHandle handle)
    {
        _daemon.Drift.Check(handle);
        return Documents.Listener(handle, _daemon.Services);
    }

    private async Task History(HttpContext context)
    {
        var name = Name(context);
        if (!RequestParameters.IsSet(context.Request, "follow") || HttpMethods.IsHead(context.Request.Method))
        {
            var entries = await _daemon.Loop.Ask(() => _daemon.Listeners.Find(name)?.History.Entries.Select(Documents.History).ToList());
            await (entries is null ? NoListener(context, name) : Json(context, entries, ControlJson.Default.ListHistoryEntryDocument));
            return;
        }

        // A reader that stops reading must not make us keep what it does not take.
        var channel = Channel.CreateBounded<HistoryEntryDocument>(new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        ListenerHandle? followed = null;
        void Tell(HistoryEntry entry) => channel.Writer.TryWrite(Documents.History(entry));
        void Added(HistoryFact fact) => Tell(followed!.History.Latest!);
        var found = await _daemon.Loop.Ask(() =>
        {
            if (_daemon.Listeners.Find(name) is not { } handle)
            {
                return false;
            }

            foreach (var entry in handle.History.Entries)
            {
                Tell(entry);
            }

            followed = handle;
            handle.History.Added += Added;
            return true;
        });
        if (!found)
        {
            await NoListener(context, name);
            return;
        }

        try
        {
            await Stream(context, channel.Reader, ControlJson.Default.HistoryEntryDocument, _ => false);
        }
        finally
        {
            _daemon.Loop.Post(() => followed!.History.Added -= Added);
        }
    }

    private async Task Ready(HttpContext context)
    {
        var waiting = await _daemon.Loop.Ask(() => _daemon.Services
            .Where(runner => runner.Blocked is not null || (runner.State.IsStarted && runner.State.Ready < runner.State.Expected))
            .Select(runner => $"{runner.Name}: {runner.State.Ready} of {runner.State.Expected} workers are ready").ToArray());
        await Text(context, waiting.Length == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, waiting.Length == 0 ? "ready" : string.Join('\n', waiting));
    }

    private ConnectionCounts Counts() => new(_daemon.Services, _daemon.Loop.Now);

    private ServiceRunner? Find(string name) => _daemon.Services.Find(name);

    private static string Name(HttpContext context) => (string)context.GetRouteValue("name")!;

    private static async Task<bool> MayChange(HttpContext context)
    {
        // struct ucred: pid, uid, gid.
        Span<byte> credentials = stackalloc byte[12];
        var socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
        var uid = socket is not null && socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, credentials) == credentials.Length
            ? BitConverter.ToUInt32(credentials[4..])
            : uint.MaxValue;
        if (uid == 0 || uid == Processes.EffectiveUid)
        {
            return true;
        }

        await Problem(context, StatusCodes.Status403Forbidden, "not permitted", $"what changes anything is for root and the daemon's own user (uid {Processes.EffectiveUid}); you are uid {uid}");
        return false;
    }

    private Task NoService(HttpContext context, string name) => Problem(
        context, StatusCodes.Status404NotFound, "no such service",
        $"there is no service \"{name}\"; there {Known(_daemon.Services.Select(runner => runner.Name))}");

    private Task NoListener(HttpContext context, string name) => Problem(
        context, StatusCodes.Status404NotFound, "no such listener",
        $"there is no listener \"{name}\"; there {Known(_daemon.Listeners.Handles.Select(handle => handle.Name))}");

    private static string Known(IEnumerable<string> names) => names.ToArray() switch
    {
        [] => "are none",
        [var one] => $"is {one}",
        var several => $"are {string.Join(", ", several)}",
    };

    /// <summary>One JSON document a line, each at once, until the last one, the client's end or the daemon's.</summary>
    private async Task Stream<T>(HttpContext context, ChannelReader<T> reader, JsonTypeInfo<T> type, Func<T, bool> isLast)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping);
        context.Response.ContentType = "application/x-ndjson";
        await context.Response.StartAsync(end.Token);
        try
        {
            await foreach (var document in reader.ReadAllAsync(end.Token))
            {
                Write(context.Response.BodyWriter, document, type);
                context.Response.BodyWriter.Write("\n"u8);
                await context.Response.BodyWriter.FlushAsync(end.Token);
                if (isLast(document))
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The client has gone, or the daemon goes: the stream ends where it is.
        }
    }

    private static async Task Json<T>(HttpContext context, T document, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        Write(context.Response.BodyWriter, document, type);
        await context.Response.BodyWriter.FlushAsync();
    }

    private static async Task Text(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(text + "\n");
    }

    private static async Task Problem(HttpContext context, int status, string title, string detail)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        Write(context.Response.BodyWriter, new ProblemDocument("about:blank", title, status, detail), ControlJson.Default.ProblemDocument);
        await context.Response.BodyWriter.FlushAsync();
    }

    /// <summary>Quotes as \" and letters as they are, for those who read it with curl; nobody puts it into a page.</summary>
    private static void Write<T>(IBufferWriter<byte> output, T document, JsonTypeInfo<T> type)
    {
        using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        JsonSerializer.Serialize(writer, document, type);
    }

    private static async Task ExplainFailures(HttpContext context, RequestDelegate next)
    {
        try
        {
            if (context.GetEndpoint() is not null && RequestParameters.Misunderstood(context.Request) is { } misunderstood)
            {
                await BadRequest(context, misunderstood);
                return;
            }

            await next(context);

            // What no handler answered: routing has set the status, and Allow.
            if (!context.Response.HasStarted && context.Response.ContentType is null)
            {
                await (context.Response.StatusCode switch
                {
                    StatusCodes.Status404NotFound => Problem(
                        context, StatusCodes.Status404NotFound, "no such resource", $"{context.Request.Path} is no resource of listend {DaemonInfo.Version}"),
                    StatusCodes.Status405MethodNotAllowed => Problem(
                        context, StatusCodes.Status405MethodNotAllowed, "method not allowed",
                        $"{context.Request.Path} has no {context.Request.Method}: write {context.Response.Headers.Allow}"),
                    _ => Task.CompletedTask,
                });
            }
        }
        catch (Exception exception) when (!context.Response.HasStarted && exception is not OperationCanceledException)
        {
            await Problem(context, StatusCodes.Status500InternalServerError, "internal error", exception.Message);
        }
    }
}
