using System.Globalization;
using Microsoft.AspNetCore.Http;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>
/// Sends a signal to the workers of a service. Without <c>force</c> it refuses a signal whose default action ends or stops a worker
/// that does not handle it.
/// </summary>
internal sealed class SignalRequest(ControlContext daemon)
{
    /// <summary>The most workers that a message names.</summary>
    private const int MostNamed = 8;

    public async Task RunAsync(HttpContext context)
    {
        var text = context.Request.Query["signal"].ToString();
        if (Signals.Parse(text) is not { } signal)
        {
            await Answer.BadRequest(context, text.Length == 0
                ? $"missing parameter \"signal\": for example {context.Request.Path}?signal=HUP"
                : $"unknown signal \"{text}\": use HUP, SIGUSR1, RTMIN+3 or a number from 1 to 64");
            return;
        }

        if (!RequestParameters.TryReadWorker(context.Request, out var slot, out var invalid))
        {
            await Answer.BadRequest(context, invalid);
            return;
        }

        var name = Answer.Name(context);
        var (targets, slots) = await daemon.Loop.Ask(() => daemon.Services.Find(name) is { } runner
            ? (runner.Requests.SignalTargets(slot), runner.State.Workers.Select(worker => worker.Slot).ToArray())
            : (null, []));
        if (targets is null)
        {
            await Answer.NoService(context, daemon);
            return;
        }

        var refusal = targets.Count == 0 ? NoWorker(slot, slots, signal)
            : RequestParameters.IsSet(context.Request, "force") ? null
            : Unhandled(targets, signal);
        if (refusal is { } why)
        {
            await Answer.Problem(context, StatusCodes.Status409Conflict, why.Title, $"service \"{name}\": {why.Detail}");
            return;
        }

        await SendAsync(context, name, signal, targets);
    }

    private async Task SendAsync(HttpContext context, string name, int signal, IReadOnlyList<SignalTarget> targets)
    {
        var by = ClientCredentials.Requester(context);
        var (reached, error) = await daemon.Loop.Ask(() =>
        {
            if (daemon.Services.Find(name) is not { } runner)
            {
                return ([], null);
            }

            daemon.Requests.OfService(name, $"signal {Signals.Name(signal)}", by);
            return runner.Requests.Signal(signal, targets);
        });
        if (reached.Count == 0)
        {
            var why = error is { } failure ? $"{Signals.Name(signal)} was not sent: {failure}" : "the workers have exited";
            await Answer.Problem(context, StatusCodes.Status409Conflict, "signal not sent", $"service \"{name}\": {why}");
            return;
        }

        var message = string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {Signals.Name(signal)} sent to {reached.Count} worker{(reached.Count == 1 ? "" : "s")}")
            + (error is { } rest ? $"; not to all: {rest}" : "");
        var document = new SignalDocument(name, Signals.Name(signal), reached.Count, reached, message);
        await Answer.Json(context, document, ControlJson.Default.SignalDocument);
    }

    private static (string Title, string Detail) NoWorker(int? slot, int[] slots, int signal) => ("no worker", slot is { } number
        ? string.Create(CultureInfo.InvariantCulture, $"no worker runs in slot {number}: {Signals.Name(signal)} was not sent")
            + (slots.Length == 0 ? "" : $"; slots with a worker: {ProblemText.SlotRanges(slots)}")
        : "no worker to send a signal to");

    /// <summary>Why the signal is refused; null if every worker handles it, or its default action does no harm.</summary>
    private static (string Title, string Detail)? Unhandled(IReadOnlyList<SignalTarget> targets, int signal)
    {
        var action = Signals.DefaultAction(signal);
        if (action == SignalAction.None)
        {
            return null;
        }

        var unhandled = targets.Where(target => target.Handles(signal) != true).ToArray();
        if (unhandled.Length == 0)
        {
            return null;
        }

        var named = string.Join(", ", unhandled.Take(MostNamed).Select(target => target.Name))
            + (unhandled.Length > MostNamed
                ? string.Create(CultureInfo.InvariantCulture, $" and {unhandled.Length - MostNamed} more") : "");
        var effect = action == SignalAction.Ends ? "ends" : "stops";
        var why = signal is Signals.Kill or Signals.Stop
            ? $"no process can handle it, and it {effect} {named}"
            : $"{named} {(unhandled.Length == 1 ? "does" : "do")} not handle it, and its default action {effect} a process";
        return ("signal not handled",
            $"{Signals.Name(signal)} was not sent: {why}; to send it anyway use --force (force=true in a request)");
    }
}
