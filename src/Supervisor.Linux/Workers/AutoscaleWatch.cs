using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Samples how many connections wait at a service's listeners, and posts what <see cref="AutoscalePolicy"/> decides. The kernel has no
/// event for a queue that stays long, so a deadline of the loop takes the samples, and only while a service with <c>autoscale</c> runs.
/// A sample is one getsockopt() for each TCP socket.
/// </summary>
internal sealed class AutoscaleWatch(
    EventLoop loop, Func<IReadOnlyList<ListenerHandle>> listeners, Func<ServiceState> state, Action<AutoscaleRequested> onChange)
    : IDeadline, IDisposable
{
    private AutoscalePolicy _policy;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <summary>Begins or ends the sampling after a change of the service.</summary>
    public void Update()
    {
        var isOn = state() is { IsStarted: true, Spec.Autoscale.IsOn: true };
        if (isOn == NextDeadline is not null)
        {
            return;
        }

        _policy = default;
        NextDeadline = isOn ? loop.Now : null;
        loop.Schedule(this);
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        NextDeadline = loop.Now + AutoscalePolicy.IntervalOf(state().Spec.Autoscale);
        loop.Schedule(this);
        (_policy, var change) = _policy.Sample(state(), Waiting(), loop.Now);
        if (change is not null)
        {
            onChange(change);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => loop.Remove(this);

    private int Waiting() => (int)Math.Min(
        int.MaxValue,
        listeners().Where(handle => handle.Listens).Sum(handle => handle.Sockets.Sum(socket =>
            AcceptQueue.Read(socket.Descriptor, handle.Spec.Address.Kind, socket.Inode)?.Length ?? 0)));
}
