using Supervisor.Control;
using Supervisor.Control.CommandLine;

namespace Supervisor.Daemon.Model;

/// <summary>The version, the paths and the start of this daemon. They do not change while the process runs.</summary>
/// <param name="ConfigFile">The full path of the main configuration file; null without one (<c>--listen</c>).</param>
/// <param name="Paths">The files of the runtime directory.</param>
/// <param name="IsDirectoryGiven">Whether <c>--runtime-directory</c> overrides <c>daemon.runtime_directory</c>.</param>
/// <param name="StartedAt">When the first daemon of this chain of upgrades started.</param>
/// <param name="Upgrades">How often the daemon has re-executed itself.</param>
internal sealed record DaemonInfo(string? ConfigFile, RuntimePaths Paths, bool IsDirectoryGiven, DateTimeOffset StartedAt, int Upgrades)
{
    /// <summary>The version of this executable, without the source revision that <c>--version</c> prints after a "+".</summary>
    public static string Version { get; } = VersionFlag.Version.Split('+')[0];
}
