using Supervisor.Daemon.Continuity;

namespace Supervisor.Daemon.Tests.Fakes;

/// <summary>A daemon that is quiet when the test says so.</summary>
internal sealed class FakeQuiescence : IQuiescence
{
    /// <summary>Called when the daemon is quiet; null where nobody waits for it.</summary>
    public Action? OnQuiet { get; private set; }

    public int Begun { get; private set; }

    public int Ended { get; private set; }

    public void Begin(Action onQuiet)
    {
        Begun++;
        OnQuiet = onQuiet;
    }

    public void End() => Ended++;
}
