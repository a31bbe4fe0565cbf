using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Validation;

/// <summary>The rules of one profile. They turn what was read into a configuration, or into its errors.</summary>
public sealed class RuleSet
{
    private readonly ImmutableArray<Rule> _rules;

    private RuleSet(IEnumerable<Rule> rules) => _rules = [.. rules];

    /// <summary>Names of the rules, in the order in which they run.</summary>
    public IEnumerable<string> Names => _rules.Select(rule => rule.Name);

    /// <summary>The rules that need no host.</summary>
    public static RuleSet For(Profile profile) => For(profile, PureRules.All);

    /// <summary>The rules of <paramref name="registered"/> that run in this profile.</summary>
    public static RuleSet For(Profile profile, IEnumerable<Rule> registered) =>
        new(registered.Where(rule => rule.Profiles.HasFlag(profile)).OrderBy(rule => rule.AsksHost));

    /// <summary>Applies the rules. All diagnostics are returned at once, sorted by file, line and column.</summary>
    public ConfigResult Validate(ParsedConfig parsed)
    {
        // After a syntax error the tree is incomplete: the pure rules would report settings as missing.
        if (parsed is { IsComplete: true, IsAgain: false })
        {
            parsed = parsed.With(Apply(parsed, asksHost: false));
        }

        var found = parsed.Places.Sort(parsed.Diagnostics.AddRange(Apply(parsed, asksHost: true))).ToImmutableArray();
        var errors = found.Where(one => !one.IsWarning && one.Bind is null).ToImmutableArray();
        return new ConfigResult(errors.IsEmpty ? parsed.Draft : null, errors)
        {
            // One message for each problem: a warning about a setting with an error is left out.
            Warnings = [.. found.Where(one => one.IsWarning && !errors.Any(error => error.IsAt(one)))],
            Failures = [.. found.Where(one => one.Bind is not null)],
            Readable = parsed.Readable,
            Draft = parsed.Draft,
            Places = parsed.Places,
            Stamp = parsed.Stamp,
        };
    }

    private IEnumerable<ConfigDiagnostic> Apply(ParsedConfig parsed, bool asksHost) =>
        _rules.Where(rule => rule.AsksHost == asksHost).SelectMany(rule => rule.Check(parsed));
}
