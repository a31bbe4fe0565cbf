using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Linux.Output;

namespace Supervisor.Daemon.Control;

/// <summary>
/// What is kept in memory and told as it goes on: the events, and what the workers write. A reader's place is a number:
/// one that reads too slowly misses what is dropped meanwhile and is told so; nobody waits for it.
/// </summary>
internal sealed partial class ControlApi
{
    private const int Batch = 128;

    /// <summary>How long a reader may take to read the rest when the daemon leaves.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(500);

    private void MapStreams(WebApplication application)
    {
        MapDocument(application, "/v1/events", Events);
        MapDocument(application, "/v1/services/{name}/logs", Logs);
    }

    /// <summary>Server-sent events, from the one after Last-Event-ID on; with <c>follow=false</c> up to now.</summary>
    private async Task Events(HttpContext context)
    {
        var after = 0L;
        var header = context.Request.Headers["Last-Event-ID"].ToString();
        var text = header is { Length: > 0 } ? header : context.Request.Query["after"].ToString();
        if (text.Length > 0 && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out after))
        {
            await BadRequest(context, $"{(header.Length > 0 ? "Last-Event-ID" : "after")} \"{text}\" is no number of an event");
            return;
        }

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        await Tell(
            context,
            _daemon.Events.Events,
            after,
            follow: RequestParameters.IsSet(context.Request, "follow", otherwise: true),
            WriteEvent,
            (missed, next) => new EventDocument(
                next, _daemon.Loop.Time.GetUtcNow(), "events-lost", Service: null, Listener: null, Worker: null, State: null, Rollout: null,
                string.Create(CultureInfo.InvariantCulture, $"{missed} event{(missed == 1 ? "" : "s")} before this one {(missed == 1 ? "is" : "are")} not kept any more")));
    }

    /// <summary>What the workers of a service have written, a document a line; <c>lines</c>: the last so many; <c>follow=true</c>: what comes, too.</summary>
    private async Task Logs(HttpContext context)
    {
        var name = Name(context);
        var text = context.Request.Query["lines"].ToString();
        var lines = long.MaxValue;
        if (text.Length > 0 && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out lines))
        {
            await BadRequest(context, $"lines \"{text}\" is no number of lines");
            return;
        }

        if (await _daemon.Loop.Ask(() => Find(name)?.Output) is not { } output)
        {
            await NoService(context, name);
            return;
        }

        // What was dropped before anybody asked is no loss to the one who asks now.
        var kept = output.After(0, 0).Missed;
        context.Response.ContentType = "application/x-ndjson";
        await Tell(
            context,
            output,
            Math.Max(kept, output.Newest - lines),
            follow: RequestParameters.IsSet(context.Request, "follow"),
            WriteLine,
            (missed, next) => new OutputLine(
                next, _daemon.Loop.Time.GetUtcNow(), Pid: 0, Slot: 0, Generation: 0, IsError: false, Priority: 4,
                string.Create(CultureInfo.InvariantCulture, $"{missed} line{(missed == 1 ? "" : "s")} before this one {(missed == 1 ? "is" : "are")} not kept any more: this reader was too slow")));
    }

    /// <summary>Items as they come, each batch at once, until the client's end or the daemon's; what is there at the daemon's end is told still.</summary>
    private async Task Tell<T>(HttpContext context, RecentItems<T> items, long after, bool follow, Action<IBufferWriter<byte>, T> write, Func<long, long, T> lost)
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping);
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        await using var leaving = _stopping.Register(() => abort.CancelAfter(LastWords));
        try
        {
            await context.Response.StartAsync(abort.Token);
            while (true)
            {
                // Who does not follow gets what is there now, however fast it goes on.
                var (batch, missed, next) = items.After(after, follow ? Batch : int.MaxValue);
                if (missed > 0)
                {
                    write(context.Response.BodyWriter, lost(missed, after + missed));
                }

                foreach (var item in batch)
                {
                    write(context.Response.BodyWriter, item);
                }

                after = next;
                if (missed > 0 || batch.Count > 0)
                {
                    await context.Response.BodyWriter.FlushAsync(abort.Token);
                    if (follow)
                    {
                        continue;
                    }
                }

                if (!follow || end.IsCancellationRequested)
                {
                    return;
                }

                await items.Beyond(after).WaitAsync(end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                context.RequestAborted.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException)
        {
            // The client has gone, or does not read while the daemon goes.
            context.Abort();
        }
    }

    private static void WriteEvent(IBufferWriter<byte> output, EventDocument document)
    {
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {document.Seq}\nevent: {document.Kind}\ndata: "), output);
        Write(output, document, ControlJson.Default.EventDocument);
        output.Write("\n\n"u8);
    }

    private static void WriteLine(IBufferWriter<byte> output, OutputLine line)
    {
        // A process of ours has a number; only what listend itself says has none.
        var isOurs = line.Pid == 0;
        var document = new OutputLineDocument(
            line.Seq,
            line.At,
            isOurs ? null : line.Pid,
            isOurs ? null : line.Slot,
            isOurs ? null : line.Generation,
            isOurs ? "listend" : line.IsError ? "stderr" : "stdout",
            line.Priority,
            line.Text);
        Write(output, document, ControlJson.Default.OutputLineDocument);
        output.Write("\n"u8);
    }
}
