using System.CommandLine;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Supervisor.Config;

namespace Supervisor.Daemon.Commands;

/// <summary>The configuration from its files.</summary>
internal static class ConfigLoading
{
    /// <summary>Where the configuration is looked for.</summary>
    public const string DefaultPath = "/etc/listend/listend.toml";

    /// <summary>What the parser asks of this host.</summary>
    public static ConfigContext Context { get; } = new() { Resolve = Resolve, Cpus = Environment.ProcessorCount };

    public static Option<string> ConfigOption() =>
        new("--config") { Description = "The main configuration file; conf.d/*.toml beside it is read too", HelpName = "PATH", DefaultValueFactory = _ => DefaultPath };

    /// <summary>Reads and parses; every error at once.</summary>
    public static ConfigResult Load(string path)
    {
        var files = ConfigFiles.Read(path);
        if (files.Sources.IsEmpty)
        {
            return new ConfigResult(null, files.Errors);
        }

        var result = ConfigParser.Parse(files.Sources, Context);
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
