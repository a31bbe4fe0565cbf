using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Core.Listeners.History;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Control;

/// <summary>Listeners and their history.</summary>
internal sealed class ListenerResource(ControlContext daemon, CancellationToken stopping)
{
    /// <summary>Entries that a slow reader may lag behind; older ones are dropped.</summary>
    private const int MaxLag = 4096;

    /// <summary>
    /// All listeners; with <c>name=NAME</c> only that one, with <c>options=false</c> without socket options, and with
    /// <c>drift=false</c> without a look at what workers have changed on the sockets since the last one.
    /// </summary>
    public async Task List(HttpContext context)
    {
        var name = context.Request.Query["name"].ToString();
        if (name.Length > 0 && !await daemon.Loop.Ask(() => daemon.Listeners.Find(name) is not null))
        {
            await Answer.NoListener(context, daemon, name);
            return;
        }

        var withOptions = RequestParameters.IsSet(context.Request, "options", otherwise: true);
        var withDrift = RequestParameters.IsSet(context.Request, "drift", otherwise: true);
        await Answer.JsonArray(
            context,
            daemon.Loop.AskInSlices(
                () =>
                {
                    daemon.Listeners.RefreshFailures(name.Length == 0 ? null : name);
                    return name.Length == 0 ? daemon.Listeners.Handles : daemon.Listeners.Handles.Where(handle => handle.Name == name);
                },
                handle => daemon.Listeners.Find(handle.Name) == handle ? Read(handle, withOptions, withDrift) : null),
            ControlJson.Default.ListenerDocument);
    }

    public async Task Get(HttpContext context)
    {
        var name = Answer.Name(context);
        var document = await daemon.Loop.Ask(() =>
        {
            daemon.Listeners.RefreshFailures(name);
            return daemon.Listeners.Find(name) is { } handle ? Read(handle) : null;
        });
        await (document is null
            ? Answer.NoListener(context, daemon)
            : Answer.Json(context, document, ControlJson.Default.ListenerDocument));
    }

    public async Task History(HttpContext context)
    {
        if (RequestParameters.IsSet(context.Request, "follow") && !HttpMethods.IsHead(context.Request.Method))
        {
            await FollowHistory(context);
            return;
        }

        var name = Answer.Name(context);
        var entries = await daemon.Loop.Ask(() => daemon.Listeners.Find(name)?.History.Entries.Select(ListenerDocuments.History).ToList());
        await (entries is null
            ? Answer.NoListener(context, daemon)
            : Answer.Json(context, entries, ControlJson.Default.ListHistoryEntryDocument));
    }

    private async Task FollowHistory(HttpContext context)
    {
        var name = Answer.Name(context);
        var channel = Channel.CreateBounded<HistoryEntryDocument>(
            new BoundedChannelOptions(MaxLag) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        ListenerHandle? followed = null;
        void Send(HistoryEntry entry) => channel.Writer.TryWrite(ListenerDocuments.History(entry));
        void Added(HistoryFact fact) => Send(followed!.History.Latest!);
        var found = await daemon.Loop.Ask(() =>
        {
            if (daemon.Listeners.Find(name) is not { } handle)
            {
                return false;
            }

            foreach (var entry in handle.History.Entries)
            {
                Send(entry);
            }

            followed = handle;
            handle.History.Added += Added;
            return true;
        });
        if (!found)
        {
            await Answer.NoListener(context, daemon);
            return;
        }

        try
        {
            await Answer.Stream(context, channel.Reader, ControlJson.Default.HistoryEntryDocument, _ => false, stopping);
        }
        finally
        {
            daemon.Loop.Post(() => followed!.History.Added -= Added);
        }
    }

    /// <summary>The listener as the kernel has it now; a drift is found and repaired first.</summary>
    private ListenerDocument Read(ListenerHandle handle, bool withOptions = true, bool withDrift = true)
    {
        var reading = withDrift ? daemon.Drift.Check(handle) : null;
        return ListenerDocuments.Listener(handle, daemon.Services.UsersOf(handle), withOptions, reading) with
        {
            // The check has looked already.
            Drops = withDrift ? daemon.Overflows.Last(handle) : daemon.Overflows.Look(handle),
            DropsBy = daemon.Overflows.Parts(handle),
        };
    }
}
