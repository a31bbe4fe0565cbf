using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Validation;

/// <summary>One rule that a configuration has to keep.</summary>
/// <param name="Name">Its name, such as <c>duplicate-listeners</c>.</param>
/// <param name="Profiles">When it runs.</param>
/// <param name="Check">Finds everything that breaks the rule; it never throws.</param>
public sealed record Rule(string Name, Profile Profiles, Func<ParsedConfig, IEnumerable<ConfigDiagnostic>> Check)
{
    /// <summary>
    /// Whether it asks the host: it may be slow, and never runs on the loop. Such a rule runs after the pure rules and may
    /// use <see cref="ParsedConfig.Readable"/>. It also runs after a syntax error, on what could be read.
    /// </summary>
    public bool AsksHost { get; init; }
}
