using System.Text.RegularExpressions;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Import;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests.Import;

/// <summary>A translation that the parser accepts.</summary>
internal sealed partial record Imported(ListendConfig Config, ImportResult Result)
{
    public ListenerSpec Listener => Assert.Single(Config.Listeners);

    public ServiceSpec Service => Assert.Single(Config.Services);

    /// <summary>Settings that are lost, as NAME:LINE.</summary>
    public string[] Lost => Of(DifferenceKind.Lost);

    /// <summary>Settings that are changed, as NAME:LINE.</summary>
    public string[] Changed => Of(DifferenceKind.Changed);

    /// <summary>Settings that are not needed, as NAME:LINE.</summary>
    public string[] NotNeeded => Of(DifferenceKind.NotNeeded);

    /// <summary>Translates files, given as alternating names and texts, and parses the result.</summary>
    public static Imported Of(params string[] namesAndTexts)
    {
        var result = Translate(namesAndTexts);
        Assert.Empty(result.Errors);
        foreach (var difference in result.Differences.Where(d => d.Line > 0))
        {
            var place = $":{difference.Line} {difference.Setting ?? $"[{difference.Section}]"}";
            Assert.True(result.Toml!.Contains(place, StringComparison.Ordinal) || IsInRange(result.Toml!, difference.Line), place);
        }

        Assert.All(result.Toml!.Split('\n'), line => Assert.InRange(line.Length, 0, 140));
        return new Imported(Parsing.Good(result.Toml!), result);
    }

    public static ImportResult Translate(params string[] namesAndTexts) =>
        On(null, namesAndTexts);

    /// <summary>Translates files on a host.</summary>
    public static ImportResult On(ImportHost? host, params string[] namesAndTexts) => ConfigImport.Translate(
        [.. namesAndTexts.Chunk(2).Select(pair => new ConfigSource(pair[0], pair[1]))], path => "/etc/" + path, host);

    /// <summary>Whether a block of many settings has the line.</summary>
    private static bool IsInRange(string toml, int line) => Range().Matches(toml)
        .Any(match => int.Parse(match.Groups[1].ValueSpan, null) <= line && line <= int.Parse(match.Groups[2].ValueSpan, null));

    [GeneratedRegex(":([0-9]+)-([0-9]+) ")]
    private static partial Regex Range();

    private string[] Of(DifferenceKind kind) =>
        [.. Result.Differences.Where(d => d.Kind == kind && d.Line > 0).Select(d => $"{d.Setting}:{d.Line}")];
}
