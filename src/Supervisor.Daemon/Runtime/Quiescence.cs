using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Control;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// What has to finish before a succession: answers of the control interface, the killing of what workers left behind, and what the
/// disposer receives.
/// </summary>
/// <remarks>A successor knows of none of these. A connection to the control socket waits in its queue in the meantime, because the
/// socket itself stays.</remarks>
internal sealed class Quiescence(EventLoop loop, ControlServer control, OrphanReaper orphans, Disposer disposer) : IQuiescence
{
    /// <inheritdoc/>
    public void Begin(Action onQuiet) =>
        control.PauseAsync().ContinueWith(
            _ => loop.Post(() => orphans.WhenSwept(() => disposer.PauseReceiving(onQuiet))), TaskScheduler.Default);

    /// <inheritdoc/>
    public void End()
    {
        disposer.ResumeReceiving();
        control.Resume();
    }
}
