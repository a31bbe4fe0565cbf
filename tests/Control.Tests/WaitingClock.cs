namespace Supervisor.Control.Tests;

/// <summary>A clock that stands still until a test starts it, so that no limit passes while the test prepares something.</summary>
internal sealed class WaitingClock : TimeProvider
{
    private readonly long _begun = System.GetTimestamp();
    private long _started;

    public override long GetTimestamp() =>
        Volatile.Read(ref _started) is var started and not 0 ? _begun + System.GetTimestamp() - started : _begun;

    public void Start() => Volatile.Write(ref _started, System.GetTimestamp());
}
