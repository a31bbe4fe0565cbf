using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Runtime;

namespace Supervisor.Daemon.Tests.Fakes;

/// <summary>A runtime directory that a test has for itself.</summary>
internal sealed class TemporaryRuntime : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("listend-").FullName;

    public TemporaryRuntime() => Paths = new RuntimePaths(Path.Combine(_root, "run"));

    public RuntimePaths Paths { get; }

    /// <summary>A configuration without listeners and services, as a state has it.</summary>
    public ConfigEntry Config => new() { RuntimeDirectory = Paths.Directory, Listeners = [], Services = [] };

    /// <summary>A state that a daemon of this boot could have left.</summary>
    public DaemonManifest Manifest => new()
    {
        Format = ManifestFormat.Current,
        LeastReader = ManifestFormat.LeastReader,
        Version = "0.0.1",
        Pid = 1,
        BootId = StateSnapshots.BootId,
        Clock = TimeProvider.System.GetTimestamp(),
        StartedAt = DateTimeOffset.UnixEpoch,
        Config = Config,
        Listeners = [],
        Services = [],
    };

    /// <summary>Makes the directory, and takes its lock.</summary>
    public InstanceLock Lock() => InstanceLock.TryTake(Paths, out _, out var error) ?? throw new InvalidOperationException(error);

    /// <summary>Leaves a state as a dead daemon does.</summary>
    public void Leave(byte[] state) => File.WriteAllBytes(Paths.StateFile, state);

    /// <summary>What a start with that configuration needs.</summary>
    public StartRequest Request(ListendConfig config, InstanceLock claim, IDaemonSystem system, FakeLog log) => new(
        config, new ConfigOrigin(), new DaemonInfo(null, Paths, IsDirectoryGiven: true, DateTimeOffset.UnixEpoch, 0), claim,
        new Executable("/bin/true", ["/bin/true"], []), system, log.Log, LogsToJournal: false, () => { });

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
