using Supervisor.Config.Diagnostics;
using Supervisor.Config.Import;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests.Import;

/// <summary>A translation that the parser accepts.</summary>
internal sealed record Imported(ListendConfig Config, ImportResult Result)
{
    public ListenerSpec Listener => Assert.Single(Config.Listeners);

    public ServiceSpec Service => Assert.Single(Config.Services);

    /// <summary>Settings without an equivalent, as NAME:LINE.</summary>
    public string[] Unsupported => [.. Result.Unsupported.Select(u => $"{u.Setting}:{u.Line}")];

    /// <summary>Translates files, given as alternating names and texts, and parses the result.</summary>
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
