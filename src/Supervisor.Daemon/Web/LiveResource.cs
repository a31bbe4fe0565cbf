using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Daemon.Control;

namespace Supervisor.Daemon.Web;

/// <summary>
/// The data of the web page: <c>/live</c>, a stream of server-sent events, and <c>/live/listeners/NAME</c>, a listener with its options
/// and history. Only for the page: other programs use the control interface.
/// </summary>
internal sealed class LiveResource(LiveSources sources, CancellationToken stopping)
{
    /// <summary>How many past events a new viewer gets, and the most in one message.</summary>
    private const int MostEvents = 100;

    /// <summary>How long the answer about a listener is reused.</summary>
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly LiveFeed _feed = new(sources);
    private readonly LiveReader _reader = new(sources);
    private readonly ConcurrentDictionary<string, SharedAnswer<byte[]?>> _listeners = [];

    /// <summary>
    /// A stream of messages <c>update</c>, one for each reading. The first one has everything, later ones what has changed.
    /// </summary>
    public async Task Stream(HttpContext context)
    {
        using var viewer = _feed.TryEnter();
        if (viewer is null)
        {
            context.Response.Headers.RetryAfter = "10";
            await Answer.Text(
                context, StatusCodes.Status503ServiceUnavailable,
                $"{LiveFeed.MostViewers.ToString(CultureInfo.InvariantCulture)} pages are open, which is the limit: close one");
            return;
        }

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await SendAsync(context, end.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The client or the daemon ends the stream.
        }
    }

    /// <summary>A listener with its options and its history.</summary>
    public async Task Listener(HttpContext context)
    {
        var name = Answer.Name(context);
        if (!_listeners.TryGetValue(name, out var answer))
        {
            // Only what exists is kept: names in requests are not bounded.
            answer = await sources.Loop.Ask(() => sources.Listeners.Find(name) is not null)
                ? _listeners.GetOrAdd(name, _ => new SharedAnswer<byte[]?>(
                    () => _reader.ReadListenerAsync(name), Freshness, sources.Loop.Time))
                : null;
        }

        var document = answer is null ? null : await answer.AskAsync();
        if (document is null)
        {
            _listeners.TryRemove(name, out _);
            await Answer.Text(context, StatusCodes.Status404NotFound, "no such listener");
            return;
        }

        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = document.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(document, context.RequestAborted);
        }
    }

    private async Task SendAsync(HttpContext context, CancellationToken end)
    {
        var (version, seen) = (0L, 0L);
        LiveState? known = null;
        await context.Response.StartAsync(end);
        while (true)
        {
            var state = await _feed.NextAsync(isFirst: known is null).WaitAsync(end);
            if (state != known)
            {
                (known, version, seen) = (state, 0, 0);
            }

            version = Write(context.Response.BodyWriter, state, version, ref seen);
            await context.Response.BodyWriter.FlushAsync(end);
        }
    }

    private long Write(IBufferWriter<byte> output, LiveState state, long version, ref long seen)
    {
        var (events, missed, next) = sources.Events.Events.After(seen, int.MaxValue);
        EventDocument[] shown = [.. events.TakeLast(MostEvents)];
        output.Write("event: update\ndata: "u8);
        using var writer = new Utf8JsonWriter(output, Readable);
        writer.WriteStartObject();
        writer.WriteBoolean("is_full", version == 0);
        writer.WriteString("at", sources.Loop.Time.GetUtcNow());
        version = state.Write(writer, version);
        if (shown.Length > 0)
        {
            writer.WriteNumber("events_missed", missed + events.Count - shown.Length);
            writer.WriteStartArray("events");
            foreach (var one in shown)
            {
                writer.WriteRawValue(LiveReader.Event(one), skipInputValidation: true);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
        writer.Flush();
        output.Write("\n\n"u8);
        seen = next;
        return version;
    }
}
