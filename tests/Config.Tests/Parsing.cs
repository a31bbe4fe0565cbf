using System.Net;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Validation;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests;

/// <summary>Parses configurations for the tests.</summary>
internal static class Parsing
{
    public const string File = "main.toml";

    /// <summary>A machine with six processors that can resolve one host name.</summary>
    public static readonly ConfigContext Context = new()
    {
        Cpus = 6,
        Resolve = name => name == "localhost" ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : [],
    };

    public static ConfigResult Parse(string text) => Parse([new ConfigSource(File, text)]);

    public static ConfigResult Parse(IReadOnlyList<ConfigSource> sources, ConfigContext? context = null) =>
        Validate(ConfigParser.Parse(sources, context ?? Context));

    public static ConfigResult Validate(ParsedConfig parsed) => RuleSet.For(Profile.Check).Validate(parsed);

    public static ListendConfig Good(string text)
    {
        var result = Parse(text);
        Assert.Empty(result.Errors.Select(error => error.ToString()));
        return result.Config ?? throw new InvalidOperationException("no errors and no configuration");
    }

    public static ListenerSpec Listener(string text) => Assert.Single(Good(text).Listeners);

    public static ServiceSpec Service(string text) => Assert.Single(Good(text).Services);

    /// <summary>All errors, as users see them.</summary>
    public static string[] Errors(params string[] texts)
    {
        var sources = texts.Select((text, i) => new ConfigSource(i == 0 ? File : $"conf.d/{i}.toml", text)).ToList();
        var result = Parse(sources);
        Assert.Equal(result.Errors.IsEmpty, result.Config is not null);
        return [.. result.Errors.Select(error => error.ToString())];
    }
}
