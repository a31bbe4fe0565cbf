using Supervisor.Daemon.Model;

namespace Supervisor.Daemon.Tests.Fakes;

/// <summary>Services whose workers exit when the test says so.</summary>
internal sealed class FakeServices : IStoppableServices
{
    public bool AreGone { get; set; }

    public TimeSpan LongestStop { get; set; } = TimeSpan.FromSeconds(30);

    public int Stopped { get; private set; }

    public int Killed { get; private set; }

    public void StopAll() => Stopped++;

    public void KillAll() => Killed++;
}
