using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: the kernel can distribute connections over the shards of each listener with several shards.</summary>
internal static class SupportedShards
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from kind in config.Readable.Listeners.Where(listener => listener.Shards > 1).GroupBy(listener => listener.Address.Kind)
        let why = ShardProbe.WhyNot(kind.Key)
        where why is not null
        from listener in kind
        select config.Places.Diagnostic(
            "listener", listener.Name, "shards", $"this platform cannot have shards for {listener.Address}: {why}", "set shards = 1");
}
