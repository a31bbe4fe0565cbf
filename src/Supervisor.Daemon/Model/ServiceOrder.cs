using System.Collections.Immutable;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Model;

/// <summary>
/// Lets services start and roll out in the order of <c>after</c>. A later failure of a service stops none that comes after it. On
/// the loop.
/// </summary>
internal sealed class ServiceOrder(EventLoop loop, ServiceTable services)
{
    private bool _isUpdating;

    /// <summary>The services that have to be ready before that one starts, and are not.</summary>
    public ImmutableArray<string> BeforeStart(ServiceSpec spec) => Before(spec, state => state.IsReadyForOthers);

    /// <summary>The services that have to finish their start or roll-out before that one rolls out.</summary>
    public ImmutableArray<string> BeforeRollout(ServiceSpec spec) => Before(spec, state => state.IsSettledForOthers);

    /// <summary>A service has changed: looks soon whether another one waits for it.</summary>
    public void ServiceChanged()
    {
        if (!_isUpdating && services.Any(runner => !runner.State.HeldFor.IsEmpty))
        {
            _isUpdating = true;
            loop.Post(Update);
        }
    }

    private void Update()
    {
        _isUpdating = false;
        foreach (var runner in services.Where(runner => !runner.State.HeldFor.IsEmpty).ToArray())
        {
            var state = runner.State;
            var left = state.IsStarted ? BeforeRollout(state.Spec) : BeforeStart(state.Spec);
            if (!left.SequenceEqual(state.HeldFor))
            {
                runner.Post(new HoldChanged(left));
            }
        }
    }

    private ImmutableArray<string> Before(ServiceSpec spec, Func<ServiceState, bool> isMet) =>
        [.. spec.After.Where(name => services.Find(name) is { } other && !isMet(other.State))];
}
