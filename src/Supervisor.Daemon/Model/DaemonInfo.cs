using System.Reflection;
using Supervisor.Control;

namespace Supervisor.Daemon.Model;

/// <summary>What this daemon was started as. It does not change while the process lives.</summary>
/// <param name="ConfigFile">The full path of the main configuration file; null without one (<c>--listen</c>).</param>
/// <param name="Paths">The files of the runtime directory.</param>
/// <param name="IsDirectoryGiven">Whether <c>--runtime-directory</c> overrides <c>daemon.runtime_directory</c>.</param>
/// <param name="StartedAt">When the first daemon started, of which this one is the successor.</param>
/// <param name="Upgrades">How often the daemon has re-executed itself.</param>
internal sealed record DaemonInfo(string? ConfigFile, RuntimePaths Paths, bool IsDirectoryGiven, DateTimeOffset StartedAt, int Upgrades)
{
    /// <summary>The version of this executable.</summary>
    public static string Version { get; } =
        typeof(DaemonInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
