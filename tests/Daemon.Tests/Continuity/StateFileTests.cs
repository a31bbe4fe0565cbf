using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Linux.Continuity;

namespace Supervisor.Daemon.Tests.Continuity;

/// <summary>The state file is whole or not there.</summary>
public sealed class StateFileTests : IDisposable
{
    private readonly TemporaryRuntime _runtime = new();
    private readonly FakeLog _log = new();
    private readonly InstanceLock _lock;
    private readonly StateFile _file;

    public StateFileTests()
    {
        _lock = _runtime.Lock();
        _file = new StateFile(_runtime.Paths.StateFile, _log.Log);
    }

    [Fact]
    public void The_state_file_round_trips()
    {
        Write("1.0.0");
        Write("2.0.0");
        Assert.Equal("2.0.0", StateFile.Read(_runtime.Paths.StateFile).Manifest?.Version);
        _file.Remove();
        Assert.Null(StateFile.Read(_runtime.Paths.StateFile).Manifest);
    }

    [Fact]
    public void A_partial_state_file_of_a_dead_daemon_is_replaced()
    {
        File.WriteAllText(_runtime.Paths.StateFile + ".new", "{");
        Write("1.0.0");
        Assert.Equal("1.0.0", StateFile.Read(_runtime.Paths.StateFile).Manifest?.Version);
        Assert.False(File.Exists(_runtime.Paths.StateFile + ".new"));
    }

    [Fact]
    public void A_failure_and_its_end_are_each_logged_once()
    {
        Write("1.0.0");
        Directory.CreateDirectory(_runtime.Paths.StateFile + ".new/full");
        Write("2.0.0");
        Write("3.0.0");
        Assert.Equal([MessageIds.StateNotWritten], _log.Kinds);
        Assert.Equal("1.0.0", StateFile.Read(_runtime.Paths.StateFile).Manifest?.Version);
        Directory.Delete(_runtime.Paths.StateFile + ".new", recursive: true);
        Write("4.0.0");
        Assert.Equal([MessageIds.StateNotWritten, MessageIds.StateWritten], _log.Kinds);
    }

    public void Dispose()
    {
        _lock.Dispose();
        _runtime.Dispose();
    }

    private void Write(string version) => _file.Write(stream => ManifestFormat.Write(stream, _runtime.Manifest with { Version = version }));
}
