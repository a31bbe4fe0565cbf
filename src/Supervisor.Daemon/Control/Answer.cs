using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Supervisor.Control;

namespace Supervisor.Daemon.Control;

/// <summary>Writes answers: JSON, JSON lines, text, and problem documents (RFC 9457).</summary>
internal static class Answer
{
    /// <summary>Quotes are written as \" and letters as they are, which is readable in curl's output.</summary>
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The NAME in the path.</summary>
    public static string Name(HttpContext context) => (string)context.GetRouteValue("name")!;

    public static async Task Json<T>(HttpContext context, T document, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        Write(context.Response.BodyWriter, document, type);
        await context.Response.BodyWriter.FlushAsync();
    }

    public static async Task Text(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(text + "\n");
    }

    public static Task Problem(HttpContext context, int status, string title, string detail) =>
        Problem(context, status, new ProblemDocument("about:blank", title, status, detail), ControlJson.Default.ProblemDocument);

    /// <summary>A problem with further members.</summary>
    public static async Task Problem<T>(HttpContext context, int status, T document, JsonTypeInfo<T> type)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        Write(context.Response.BodyWriter, document, type);
        await context.Response.BodyWriter.FlushAsync();
    }

    public static Task BadRequest(HttpContext context, string detail) =>
        Problem(context, StatusCodes.Status400BadRequest, "bad request", detail);

    /// <summary>404 with the names that are similar; the name is the path's unless it is given.</summary>
    public static async Task NoService(HttpContext context, ControlContext daemon, string? name = null)
    {
        var known = await daemon.Loop.Ask(() => daemon.Services.Select(runner => runner.Name).ToArray());
        await Problem(
            context, StatusCodes.Status404NotFound, "no such service", ProblemText.UnknownName("service", name ?? Name(context), known));
    }

    /// <inheritdoc cref="NoService"/>
    public static async Task NoListener(HttpContext context, ControlContext daemon, string? name = null)
    {
        var known = await daemon.Loop.Ask(() => daemon.Listeners.Handles.Select(handle => handle.Name).ToArray());
        await Problem(
            context, StatusCodes.Status404NotFound, "no such listener", ProblemText.UnknownName("listener", name ?? Name(context), known));
    }

    /// <summary>
    /// An array whose elements arrive in slices. Each slice is sent before the next one is written, so a slow reader costs no
    /// memory.
    /// </summary>
    public static async Task JsonArray<T>(HttpContext context, IAsyncEnumerable<IReadOnlyList<T>> slices, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        var output = context.Response.BodyWriter;
        using var writer = new Utf8JsonWriter(output, Readable);
        writer.WriteStartArray();
        await foreach (var slice in slices)
        {
            foreach (var document in slice)
            {
                JsonSerializer.Serialize(writer, document, type);
            }

            writer.Flush();
            await output.FlushAsync(context.RequestAborted);
        }

        writer.WriteEndArray();
        writer.Flush();
        await output.FlushAsync(context.RequestAborted);
    }

    /// <summary>One JSON document per line, each flushed, until the last one or until the client or the daemon ends the stream.</summary>
    public static async Task Stream<T>(
        HttpContext context, ChannelReader<T> reader, JsonTypeInfo<T> type, Func<T, bool> isLast, CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
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
            // The client has closed the connection, or the daemon stops: the stream ends here.
        }
    }

    /// <summary>Writes a document.</summary>
    public static void Write<T>(IBufferWriter<byte> output, T document, JsonTypeInfo<T> type)
    {
        using var writer = new Utf8JsonWriter(output, Readable);
        JsonSerializer.Serialize(writer, document, type);
    }
}
