using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting.Systemd;
using Supervisor.Core;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Runtime;

/// <summary>What starting and stopping the daemon needs of the process and of the service manager.</summary>
internal interface IDaemonSystem
{
    /// <summary>The clock.</summary>
    TimeProvider Time { get; }

    /// <summary>The service manager.</summary>
    ISystemdNotifier Systemd { get; }

    /// <summary>A variable of the environment; null if it is not set.</summary>
    string? Variable(string name);

    /// <summary>
    /// Calls <paramref name="onSignal"/>, on any thread, at SIGTERM, SIGINT and SIGHUP instead of their default action, until the result
    /// is disposed of. The second argument is the sender; null if that is the kernel.
    /// </summary>
    IDisposable Handle(Action<PosixSignal, Requester?> onSignal);

    /// <summary>Unblocks the signals that a re-execution has blocked.</summary>
    void UnblockSignals();

    /// <summary>Tells <paramref name="onKnown"/> on the loop whether systemd stops the daemon in order to start it again.</summary>
    void AskIfRestart(EventLoop loop, OrphanReaper orphans, Action<bool> onKnown);

    /// <summary>Exits at once with status 0. Nothing is closed or removed.</summary>
    void Exit();
}
