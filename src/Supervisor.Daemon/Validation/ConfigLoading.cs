using System.Net;
using System.Net.Sockets;
using Supervisor.Config;
using Supervisor.Config.Settings;
using Supervisor.Config.Validation;
using Supervisor.Linux.Paths;

namespace Supervisor.Daemon.Validation;

/// <summary>Reads the configuration from its files. Disks and name services may be slow, so do not call it on the loop.</summary>
internal static class ConfigLoading
{
    /// <summary>The facts about this host that the parser needs.</summary>
    public static ConfigContext Context { get; } = new() { Resolve = Resolve, Cpus = Environment.ProcessorCount };

    /// <summary>Reads the files and applies the rules of a profile. All errors are returned at once.</summary>
    public static ConfigResult Load(string path, Profile profile, ConfigContext context) => Validate(Read(path, context), profile);

    /// <summary>
    /// The same where the configuration <paramref name="before"/> may be what the files say: then only the rules that ask the host
    /// are applied. The result has what has not changed as the same objects.
    /// </summary>
    public static ConfigResult LoadAgain(string path, ListendConfig before, Profile profile, ConfigContext context)
    {
        var files = ConfigFiles.Read(path, PathAudit.ConfigOpener());
        var isSame = files.Stamp is not null && files.Stamp == before.Stamp;
        var loaded = Validate(isSame ? Resolved(ParsedConfig.Again(before, files, context)) : Parse(files, context), profile);
        return isSame || loaded.Config is null ? loaded : loaded with { Config = UnchangedParts.Keep(before, loaded.Config) };
    }

    /// <summary>Reads the files and applies the rules that need no host. Users, paths, addresses and the kernel are not asked.</summary>
    public static ConfigResult LoadOffline(string path)
    {
        var files = ConfigFiles.Read(path, static (file, _) => GivenFile.OpenToRead(file));
        return RuleSet.For(Profile.Check).Validate(ConfigParser.Parse(files.Sources, Context with { Resolve = _ => null }).With(files));
    }

    /// <summary>Applies the rules of a profile to a configuration.</summary>
    public static ConfigResult Validate(ParsedConfig parsed, Profile profile) => ValidationRules.For(profile).Validate(parsed);

    /// <summary>Reads and parses the files; a file that cannot be read is an error.</summary>
    public static ParsedConfig Read(string path, ConfigContext context)
    {
        return Parse(ConfigFiles.Read(path, PathAudit.ConfigOpener()), context);
    }

    private static ParsedConfig Parse(ConfigFilesResult files, ConfigContext context) =>
        Resolved(ConfigParser.Parse(files.Sources, context).With(files));

    private static ParsedConfig Resolved(ParsedConfig parsed)
    {
        PathAudit.Trust(parsed.Draft.Daemon).Resolve();
        return parsed;
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
