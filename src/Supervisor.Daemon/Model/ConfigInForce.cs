using Supervisor.Config;
using Supervisor.Core.State;

namespace Supervisor.Daemon.Model;

/// <summary>The configuration that the daemon runs, and where it comes from. Written on the loop.</summary>
internal sealed class ConfigInForce(ListendConfig config, ConfigOrigin origin)
{
    /// <summary>The configuration.</summary>
    public ListendConfig Current { get; private set; } = config;

    /// <summary>When and from what it was loaded, and how the last reload ended.</summary>
    public ConfigOrigin Origin { get; private set; } = origin;

    /// <summary>A reload has replaced the configuration. The argument is the previous one.</summary>
    public event Action<ListendConfig>? Replaced;

    /// <summary>Puts a configuration in force, after a reload has applied it.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="hash">A hash of its files.</param>
    /// <param name="at">The time.</param>
    public void Replace(ListendConfig config, string? hash, DateTimeOffset at)
    {
        var previous = Current;
        Current = config;
        Origin = new ConfigOrigin { Hash = hash, LoadedAt = at, LastReload = new LastReload(at, "applied", null) };
        Replaced?.Invoke(previous);
    }

    /// <summary>A listener has another socket without a reload: what follows the configuration looks at the listeners again.</summary>
    public void Refresh() => Replaced?.Invoke(Current);

    /// <summary>A reload was refused: the configuration stays in force.</summary>
    public void Refuse(string error, DateTimeOffset at) => Origin = Origin with { LastReload = new LastReload(at, "refused", error) };
}
