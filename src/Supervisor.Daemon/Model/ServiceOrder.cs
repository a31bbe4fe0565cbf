using System.Collections.Immutable;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Model;

/// <summary>
/// Lets services start and roll out in the order of <c>after</c>. A later failure of a service stops none that comes after it. On
/// the loop.
/// </summary>
internal sealed class ServiceOrder(EventLoop loop, ServiceTable services)
{
    /// <summary>The services that wait for others. Each change of a service asks for them, so they are not looked for among all.</summary>
    private readonly HashSet<ServiceRunner> _held = [];
    private bool _isUpdating;

    /// <summary>The services that have to be ready before that one starts, and are not.</summary>
    public ImmutableArray<string> BeforeStart(ServiceSpec spec) => Before(spec, state => state.IsReadyForOthers);

    /// <summary>The services that have to finish their start or roll-out before that one rolls out.</summary>
    public ImmutableArray<string> BeforeRollout(ServiceSpec spec) => Before(spec, state => state.IsSettledForOthers);

    /// <summary>A service has changed or was removed: looks soon whether another one waits for it.</summary>
    public void ServiceChanged(ServiceRunner changed)
    {
        if (changed.State.HeldFor.IsEmpty || services.Find(changed.Name) != changed)
        {
            _held.Remove(changed);
        }
        else
        {
            _held.Add(changed);
        }

        if (!_isUpdating && _held.Count > 0)
        {
            _isUpdating = true;
            loop.Post(Update);
        }
    }

    private void Update()
    {
        _isUpdating = false;
        foreach (var runner in services.Where(_held.Contains).ToArray())
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
