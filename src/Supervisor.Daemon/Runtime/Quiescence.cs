using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Control;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Finishes before a succession what a successor would not know of: answers of the control interface, the killing of orphans, and
/// what the disposer receives.
/// </summary>
/// <remarks>Connections wait in the queue of the control socket in the meantime, because the socket stays open.</remarks>
internal sealed class Quiescence(
    EventLoop loop, ControlServer control, OrphanReaper orphans, Disposer disposer, Func<IEnumerable<ServiceRunner>> services) : IQuiescence
{
    /// <inheritdoc/>
    public void Begin(Action onQuiet) =>
        control.PauseAsync().ContinueWith(
            _ => loop.Post(() => orphans.WhenSwept(() => disposer.PauseReceiving(() =>
            {
                foreach (var service in services())
                {
                    service.KillProbes();
                }

                onQuiet();
            }))),
            TaskScheduler.Default);

    /// <inheritdoc/>
    public void End()
    {
        disposer.ResumeReceiving();
        control.Resume();
    }
}
