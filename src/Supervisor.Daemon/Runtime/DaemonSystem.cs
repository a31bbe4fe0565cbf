using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting.Systemd;
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
    public IDisposable Handle(Action<PosixSignal> onSignal)
    {
        PosixSignal[] signals = [PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP];
        var handlers = new Handlers(
            [.. signals.Select(signal => PosixSignalRegistration.Create(signal, context =>
            {
                // The daemon exits in its own way, not in the runtime's.
                context.Cancel = true;
                onSignal(context.Signal);
            }))]);

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
