using Supervisor.Config.Diagnostics;
using Supervisor.Config.Import;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests.Import;

/// <summary>A translation whose text the parser has accepted.</summary>
internal sealed record Imported(ListendConfig Config, ImportResult Result)
{
    public ListenerSpec Listener => Assert.Single(Config.Listeners);

    public ServiceSpec Service => Assert.Single(Config.Services);

    /// <summary>What has no equal, as NAME:LINE.</summary>
    public string[] Unsupported => [.. Result.Unsupported.Select(u => $"{u.Setting}:{u.Line}")];

    /// <summary>Translates files, given as name and text in turn, and feeds the result to the parser.</summary>
    public static Imported Of(params string[] namesAndTexts)
    {
        var result = Translate(namesAndTexts);
        Assert.Empty(result.Errors);
        foreach (var unsupported in result.Unsupported)
        {
            Assert.Contains($"{unsupported.File}:{unsupported.Line}: [{unsupported.Section}]", result.Toml, StringComparison.Ordinal);
        }

        return new Imported(Parsing.Good(result.Toml!), result);
    }

    public static ImportResult Translate(params string[] namesAndTexts) =>
        ConfigImport.Translate([.. namesAndTexts.Chunk(2).Select(pair => new ConfigSource(pair[0], pair[1]))], path => "/etc/" + path);
}
