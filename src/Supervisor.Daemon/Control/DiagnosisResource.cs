using System.Globalization;
using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Core.Diagnosis;
using Supervisor.Linux.Diagnosis;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Control;

/// <summary>Where connections wait or are lost, and the connections themselves. The loop only lists listeners and workers.</summary>
internal sealed class DiagnosisResource(ControlContext daemon)
{
    /// <summary>
    /// A diagnosis of all listeners; with <c>listener=NAME</c> only that one; <c>interval_ms=N</c>: the time between the two looks.
    /// </summary>
    public async Task Diagnose(HttpContext context)
    {
        if (!TryInterval(context.Request, out var interval))
        {
            await Answer.BadRequest(
                context, $"invalid interval_ms \"{context.Request.Query["interval_ms"]}\": it is a number of milliseconds, at most "
                + $"{KernelExamination.MaxInterval.TotalMilliseconds:0}");
            return;
        }

        var name = context.Request.Query["listener"].ToString();
        if (name.Length > 0 && !await daemon.Loop.Ask(() => daemon.Listeners.Find(name) is not null))
        {
            await Answer.NoListener(context, daemon, name);
            return;
        }

        var report = await KernelExamination.RunAsync(
            await SubjectsAsync(name), interval, daemon.Loop.Time,
            () => daemon.Loop.Ask(() => DiagnosisSubjects.Processes(daemon.Services)), context.RequestAborted);
        await Answer.Json(context, report.ToDocument(daemon.Loop.Time.GetUtcNow()), ControlJson.Default.DiagnosisDocument);
    }

    /// <summary>
    /// The connections of all listeners, those in the accept queue included; with <c>name=NAME</c> those of a listener or a service,
    /// <c>sort=age|receive|send|rtt|retransmits</c> ordered, with <c>limit=N</c> the first ones.
    /// </summary>
    public async Task Connections(HttpContext context)
    {
        var query = context.Request.Query;
        var (name, sort, limit) = (query["name"].ToString(), query["sort"].ToString(), query["limit"].ToString());
        var most = int.MaxValue;
        if (ConnectionOrders.Parse(sort.Length == 0 ? ConnectionOrders.Names[0] : sort) is not { } order)
        {
            await Answer.BadRequest(context, $"invalid sort \"{sort}\": use {string.Join(", ", ConnectionOrders.Names)}");
            return;
        }

        if (limit.Length > 0 && !int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out most))
        {
            await Answer.BadRequest(context, $"invalid limit \"{limit}\": it is a number of connections");
            return;
        }

        var (isListener, isService) = await daemon.Loop.Ask(
            () => (name.Length == 0 || daemon.Listeners.Find(name) is not null, daemon.Services.Find(name) is not null));
        if (!isListener && !isService)
        {
            var known = await daemon.Loop.Ask(() => daemon.Listeners.Handles.Select(handle => handle.Name)
                .Concat(daemon.Services.Select(runner => runner.Name)).Distinct().ToArray());
            await Answer.Problem(
                context, StatusCodes.Status404NotFound, "no such listener or service",
                ProblemText.UnknownName("listener or service", name, known));
            return;
        }

        var subjects = await SubjectsAsync(isListener ? name : "");
        var listed = await ConnectionList.ReadAsync(subjects, isListener ? null : name, order, most);
        await Answer.Json(
            context, listed.ConvertAll(connection => connection.ToDocument()), ControlJson.Default.ListConnectionDocument);
    }

    /// <summary>The subjects of all listeners, or of the one with that name. What the kernel dropped there is reported too.</summary>
    private Task<List<ListenerSubject>> SubjectsAsync(string name) => daemon.Loop.AskEach(
        () => daemon.Listeners.Handles.Where(handle => name.Length == 0 || handle.Name == name),
        handle =>
        {
            daemon.Overflows.Look(handle);
            return DiagnosisSubjects.Of(handle, daemon.Services, daemon.Loop.Now);
        });

    private static bool TryInterval(HttpRequest request, out TimeSpan interval)
    {
        var text = request.Query["interval_ms"].ToString();
        var isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds);
        interval = isNumber ? TimeSpan.FromMilliseconds(milliseconds) : KernelExamination.DefaultInterval;
        return text.Length == 0 || (isNumber && interval > TimeSpan.Zero && interval <= KernelExamination.MaxInterval);
    }
}
