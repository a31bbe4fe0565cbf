using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Sends workers their stop signals, at once or when nothing waits for them any more. Lives on the loop.</summary>
public sealed class StopSignals
{
    private readonly ServiceContext _service;

    internal StopSignals(ServiceContext service) => _service = service;

    /// <summary>
    /// Called before a worker gets its stop signal. True if the given action sends the signal later, because only this worker
    /// can serve what waits in a queue.
    /// </summary>
    public Func<WorkerState, Action, bool>? HoldsBack { get; set; }

    /// <summary>Sends the signal, unless <see cref="HoldsBack"/> sends it later. SIGABRT is always sent at once.</summary>
    internal void SendOrHoldBack(SignalEffect signal)
    {
        if (signal.Signal == Signals.Abort || !IsHeldBack(signal))
        {
            Send(signal);
        }
    }

    /// <summary>Sends a worker its stop signal, or SIGABRT.</summary>
    internal void Send(SignalEffect signal)
    {
        if (!_service.Processes.TryGetValue(signal.Worker.Id, out var process))
        {
            return;
        }

        process.IsHeldBack = false;
        process.Watch?.Dispose();
        if (process.AwaitsMain)
        {
            _service.Ending.End(signal.Worker.Id, process, WorkerEnding.Abandoned);
        }
        else
        {
            Processes.Signal(process.Pidfd, signal.Signal);
            _service.Drains.Told(signal.Worker.Id);
        }
    }

    /// <summary>Whether the signal is sent later. A successor that finds it unsent sends it.</summary>
    private bool IsHeldBack(SignalEffect signal)
    {
        if (HoldsBack is not { } holdsBack || !_service.Processes.TryGetValue(signal.Worker.Id, out var process))
        {
            return false;
        }

        process.IsHeldBack = true;
        if (holdsBack(signal.Worker, () => Send(signal)))
        {
            return true;
        }

        process.IsHeldBack = false;
        return false;
    }
}
