using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
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

        process.Watch?.Dispose();
        if (process.IsEnding)
        {
            process.IsHeldBack = false;
        }
        else if (process.Main.AwaitsMain)
        {
            process.IsHeldBack = false;
            _service.Ending.End(signal.Worker.Id, process, WorkerEnding.Abandoned);
        }
        else
        {
            SendToAll(signal, process);
        }
    }

    /// <summary>
    /// Sends the signal to the main process, and lets the sweeper send it to the others. If it ends the main process, the sweeper
    /// first looks for the connections that it cuts.
    /// </summary>
    private void SendToAll(SignalEffect signal, WorkerProcess process)
    {
        var isHandled = ProcFile.SignalsOf(process.Pid)?.Handles(signal.Signal) == true;
        if (isHandled)
        {
            Refused(process.Pid, SignalDelivery.SendStop(process.Main.Pidfd, process.Pid, signal.Signal));
        }

        process.IsHeldBack = !isHandled;
        _service.Drains.Told(signal.Worker.Id);
        _service.Cleanup.Announce(signal, process, isHandled, () => process.IsHeldBack = false);

        void Refused(int pid, SystemCallError? error)
        {
            if (error is { } why)
            {
                _service.Ending.Refused(signal.Worker.Id, pid, signal.Signal, why);
            }
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
