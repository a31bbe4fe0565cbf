using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting.Systemd;
using Supervisor.Core;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>This process.</summary>
internal sealed class DaemonSystem : IDaemonSystem
{
    /// <inheritdoc/>
    public TimeProvider Time => TimeProvider.System;

    /// <inheritdoc/>
    public ISystemdNotifier Systemd { get; } = new SystemdNotifier();

    /// <inheritdoc/>
    public string? Variable(string name) => Environment.GetEnvironmentVariable(name);

    /// <inheritdoc/>
    public IDisposable Handle(Action<PosixSignal, Requester?> onSignal)
    {
        (PosixSignal Signal, int Number)[] signals =
            [(PosixSignal.SIGTERM, Signals.Terminate), (PosixSignal.SIGINT, Signals.Interrupt), (PosixSignal.SIGHUP, Signals.HangUp)];
        var handlers = new Handlers(
            [.. signals.Select(pair => PosixSignalRegistration.Create(pair.Signal, context =>
            {
                // The daemon exits in its own way, not in the runtime's.
                context.Cancel = true;
                onSignal(context.Signal, SenderOf(pair.Number));
            }))]);
        Array.ForEach(signals, pair => SignalSender.Note(pair.Number));

        // The runtime has installed a handler of SIGCHLD with the others.
        Processes.ResetChildSignal();
        return handlers;
    }

    /// <inheritdoc/>
    public void UnblockSignals() => Processes.UnblockSignals();

    /// <inheritdoc/>
    public void AskIfRestart(EventLoop loop, OrphanReaper orphans, Action<bool> onKnown) => SystemdJob.AskIfRestart(loop, orphans, onKnown);

    /// <inheritdoc/>
    public void Exit() => Processes.ExitNow(0);

    /// <summary>Who sent the last signal of that number, with the name that the process has now.</summary>
    private static Requester? SenderOf(int signal) => SignalSender.Of(signal) is { } sender
        ? new Requester(sender.Uid, sender.Pid, sender.Pid is { } pid ? ProcFile.Command(pid) : null)
        : null;

    private sealed class Handlers(PosixSignalRegistration[] registrations) : IDisposable
    {
        public void Dispose()
        {
            foreach (var registration in registrations)
            {
                registration.Dispose();
            }
        }
    }
}
