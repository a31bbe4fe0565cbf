using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Output;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Streams of events and of the workers' output: the items in memory, and with <c>follow</c> new ones. A reader's position is
/// a sequence number. A slow reader misses items and learns how many; the daemon never waits for it.
/// </summary>
internal sealed class StreamResource(ControlContext daemon, CancellationToken stopping)
{
    private const int Batch = 128;

    /// <summary>How long a reader may take for the last items when the daemon stops.</summary>
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Server-sent events after Last-Event-ID; with <c>follow=false</c> only past ones, with <c>service=NAME</c> only those of a service,
    /// with <c>lines=N</c> from the last N past ones on.
    /// </summary>
    public async Task Events(HttpContext context)
    {
        var after = 0L;
        var header = context.Request.Headers["Last-Event-ID"].ToString();
        var text = header is { Length: > 0 } ? header : context.Request.Query["after"].ToString();
        if (text.Length > 0 && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out after))
        {
            await Answer.BadRequest(
                context, $"invalid {(header.Length > 0 ? "Last-Event-ID" : "after")} \"{text}\": it is the number of an event");
            return;
        }

        if (!RequestParameters.TryLines(context.Request, out var lines, out var wrong))
        {
            await Answer.BadRequest(context, wrong);
            return;
        }

        var service = context.Request.Query["service"].ToString();
        if (service.Length > 0 && await daemon.Loop.Ask(() => daemon.Services.Find(service)) is null && !IsKept(service))
        {
            await Answer.NoService(context, daemon, service);
            return;
        }

        Predicate<EventDocument> isWanted =
            one => (service.Length == 0 || one.Service == service) && AccessScope.Shows(context, one.Service);
        if (lines is { } last)
        {
            after = Math.Max(after, Before(daemon.Events.Events, last, isWanted));
        }

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        var follow = RequestParameters.IsSet(context.Request, "follow", otherwise: true);
        AddFollowers(follow ? 1 : 0);
        try
        {
            await Send(
                context, daemon.Events.Events, after, follow, isWanted, WriteEvent,
                (missed, next) => new EventDocument(
                    next, daemon.Loop.Time.GetUtcNow(), "events-lost", Service: null, Listener: null, Worker: null, State: null,
                    Rollout: null, Lost(missed, "event")));
        }
        finally
        {
            AddFollowers(follow ? -1 : 0);
        }
    }

    /// <summary>
    /// The output of the workers of a service, one document per line: the last <c>lines</c>, with <c>follow</c> also new ones, with
    /// <c>worker=SLOT</c> only those of one worker.
    /// </summary>
    public async Task Logs(HttpContext context)
    {
        if (!RequestParameters.TryLines(context.Request, out var lines, out var wrong))
        {
            await Answer.BadRequest(context, wrong);
            return;
        }

        if (!RequestParameters.TryReadWorker(context.Request, out var slot, out wrong))
        {
            await Answer.BadRequest(context, wrong);
            return;
        }

        var name = Answer.Name(context);
        if (await daemon.Loop.Ask(() => daemon.Services.Find(name)?.Output.Lines) is not { } output)
        {
            await Answer.NoService(context, daemon);
            return;
        }

        if (slot is { } only && await UnknownSlot(name, only, output) is { } unknown)
        {
            await Answer.Problem(context, StatusCodes.Status404NotFound, "no such slot", unknown);
            return;
        }

        // Lines that were dropped before this request are not reported as missed.
        Predicate<OutputLine> isWanted = slot is null ? _ => true : line => line.Pid != 0 && line.Slot == slot;
        var kept = output.After(0, 0).Missed;
        context.Response.ContentType = "application/x-ndjson";
        var follow = RequestParameters.IsSet(context.Request, "follow");
        await Send(
            context, output, lines is { } last ? Math.Max(kept, Before(output, last, isWanted)) : kept, follow, isWanted, WriteLine,
            (missed, next) => new OutputLine(
                next, daemon.Loop.Time.GetUtcNow(), Pid: 0, Slot: 0, Generation: 0, IsError: false, Priority: 4,
                $"{Lost(missed, "line")}: this reader is too slow"));
    }

    /// <summary>Whether there is an event of a service that is no longer configured.</summary>
    private bool IsKept(string service) => daemon.Events.Events.After(0, int.MaxValue).Items.Any(one => one.Service == service);

    /// <summary>
    /// Why a slot of a service is unknown. Null if the service has it, or has had it: its worker has written a line that is in memory.
    /// </summary>
    private async Task<string?> UnknownSlot(string name, int slot, RecentItems<OutputLine> output)
    {
        var present = await daemon.Loop.Ask(() => daemon.Services.Find(name)?.State is not { } state ? []
            : Enumerable.Range(0, state.Spec.Start == StartMode.PerConnection ? state.Spec.Connections.Max : state.Desired)
                .Concat(state.Workers.Select(worker => worker.Slot)).ToArray());
        int[] known =
            [.. present, .. output.After(0, int.MaxValue).Items.Where(line => line.Pid != 0).Select(line => line.Slot).OfType<int>()];
        return known.Contains(slot) ? null : ProblemText.UnknownSlot(name, slot, known);
    }

    private void AddFollowers(int by) => daemon.Loop.Post(() => daemon.Overflows.AddFollowers(by));

    /// <summary>The number of the item before the last <paramref name="count"/> wanted ones that are in memory.</summary>
    private static long Before<T>(RecentItems<T> items, long count, Predicate<T> isWanted)
    {
        var (batch, missed, next) = items.After(0, int.MaxValue);
        var at = batch.Count;
        while (at > 0 && count > 0)
        {
            at--;
            count -= isWanted(batch[at]) ? 1 : 0;
        }

        return Math.Max(missed, next - batch.Count + at);
    }

    /// <summary>Sends items in batches until the client or the daemon ends the stream; the daemon's last items are still sent.</summary>
    private async Task Send<T>(
        HttpContext context, RecentItems<T> items, long after, bool follow, Predicate<T> isWanted, Action<IBufferWriter<byte>, T> write,
        Func<long, long, T> lost)
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        await using var flush = stopping.Register(() => abort.CancelAfter(FlushTimeout));
        try
        {
            await context.Response.StartAsync(abort.Token);
            while (true)
            {
                // Without follow: everything up to now, in one batch.
                var (batch, missed, next) = items.After(after, follow ? Batch : int.MaxValue);
                if (missed > 0)
                {
                    write(context.Response.BodyWriter, lost(missed, after + missed));
                }

                foreach (var item in batch.Where(item => isWanted(item)))
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
            // The client has closed the connection, or does not read while the daemon stops.
            context.Abort();
        }
    }

    private static string Lost(long missed, string what) => string.Create(
        CultureInfo.InvariantCulture, $"{missed} earlier {what}{(missed == 1 ? " is" : "s are")} no longer in memory");

    private static void WriteEvent(IBufferWriter<byte> output, EventDocument document)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"id: {document.Seq}\nevent: {document.Kind}\ndata: ");
        Encoding.UTF8.GetBytes(head, output);
        Answer.Write(output, document, ControlJson.Default.EventDocument);
        output.Write("\n\n"u8);
    }

    private static void WriteLine(IBufferWriter<byte> output, OutputLine line)
    {
        // A line of listend itself has no process.
        var isOurs = line.Pid == 0;
        var document = new OutputLineDocument(
            line.Seq, line.At, isOurs ? null : line.Pid, isOurs ? null : line.Slot, isOurs ? null : line.Generation,
            isOurs ? "listend" : line.IsError ? "stderr" : "stdout", line.Priority, line.Text);
        Answer.Write(output, document, ControlJson.Default.OutputLineDocument);
        output.Write("\n"u8);
    }
}
