using Supervisor.Config;

namespace Supervisor.Daemon.Model;

/// <summary>The configuration that the daemon runs. Written on the loop.</summary>
internal sealed class ConfigInForce(ListendConfig config)
{
    /// <summary>The configuration.</summary>
    public ListendConfig Current { get; private set; } = config;

    /// <summary>A reload has replaced the configuration. The argument is the previous one.</summary>
    public event Action<ListendConfig>? Replaced;

    /// <summary>Puts a configuration in force, after a reload has applied it.</summary>
    public void Replace(ListendConfig config)
    {
        var previous = Current;
        Current = config;
        Replaced?.Invoke(previous);
    }
}
