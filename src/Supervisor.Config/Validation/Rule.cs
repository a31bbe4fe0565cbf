using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Validation;

/// <summary>One rule for a configuration.</summary>
/// <param name="Name">Its name, such as <c>duplicate-listeners</c>.</param>
/// <param name="Profiles">When it runs.</param>
/// <param name="Check">Finds all violations; it never throws.</param>
public sealed record Rule(string Name, Profile Profiles, Func<ParsedConfig, IEnumerable<ConfigDiagnostic>> Check)
{
    /// <summary>
    /// Whether it asks the host. Such a rule may be slow, so it never runs on the loop. It runs after the pure rules and may use
    /// <see cref="ParsedConfig.Readable"/>. It also runs after a syntax error, on what could be read.
    /// </summary>
    public bool AsksHost { get; init; }
}
