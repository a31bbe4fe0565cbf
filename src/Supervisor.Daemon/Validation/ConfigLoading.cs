using System.Collections.Immutable;
using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Control;
using Supervisor.Daemon.Commands;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux.Paths;
using Supervisor.Native;

namespace Supervisor.Daemon.Validation;

/// <summary>The configuration from its files.</summary>
internal static class ConfigLoading
{
    /// <summary>Where the configuration is looked for.</summary>
    public const string DefaultPath = "/etc/listend/listend.toml";

    /// <summary>What the parser asks of this host.</summary>
    public static ConfigContext Context { get; } = new() { Resolve = Resolve, Cpus = Environment.ProcessorCount };

    public static Option<string> ConfigOption() =>
        new("--config") { Description = "The main configuration file; conf.d/*.toml beside it is read too", HelpName = "PATH", DefaultValueFactory = _ => DefaultPath };

    /// <summary>Whose configuration files and other paths are accepted besides root's; its value belongs into <see cref="PathAudit.CommandLine"/>.</summary>
    public static Option<string[]> TrustedOwnerOption() =>
        new("--trusted-owner") { Description = "Accept configuration files, and every other path, of this user besides root, by name or number; may be repeated", HelpName = "USER" };

    /// <summary>
    /// Reads and parses, as a start does: a service may list a descriptor that is yet to be given. Every error at once.
    /// </summary>
    public static ConfigResult LoadForStart(string path) => Load(path, Context with { AwaitsGiven = true });

    /// <summary>
    /// Reads and parses, as for a daemon that runs or would be started now: what a service lists is configured, or given to
    /// the daemon of that runtime directory.
    /// </summary>
    public static ConfigResult LoadForCheck(string path)
    {
        var asked = false;
        var lenient = Load(path, Context with { IsGiven = _ => asked = true });
        if (!asked)
        {
            return lenient;
        }

        var directory = lenient.RuntimeDirectory ?? RuntimePaths.Default(Processes.EffectiveUid == 0)?.Directory;
        PathTrust.InForce = PathAudit.Trust(lenient.Draft.Daemon);
        var manifest = directory is null ? null : PreviousDaemonState.Peek(new RuntimePaths(directory));
        var given = manifest?.Listeners.Where(entry => entry is { IsGiven: true, Inode: not 0 }).Select(entry => entry.Spec.Name).ToHashSet(StringComparer.Ordinal) ?? [];
        return Load(path, Context with { IsGiven = given.Contains });
    }

    /// <summary>Reads and parses; every error at once.</summary>
    public static ConfigResult Load(string path, ConfigContext context)
    {
        var files = ConfigFiles.Read(path, PathAudit.ConfigOpener());
        if (files.Sources.IsEmpty)
        {
            return new ConfigResult(null, files.Errors);
        }

        var result = ConfigParser.Parse(files.Sources, context);
        PathAudit.Trust(result.Draft.Daemon).Resolve();
        ImmutableArray<ConfigDiagnostic> errors = [.. files.Errors, .. result.Errors];
        return result with { Config = errors.IsEmpty ? result.Config : null, Errors = errors };
    }

    private static IPAddress[] Resolve(string name)
    {
        try
        {
            return Dns.GetHostAddresses(name);
        }
        catch (SocketException)
        {
            return [];
        }
    }
}
