using Supervisor.Config.Diagnostics;
using Supervisor.Config.Values;
using Supervisor.Core;

namespace Supervisor.Config.Validation;

/// <summary>A rule of [access.NAME] names someone, and services that exist.</summary>
internal static class AccessRules
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        var services = config.Services.Select(service => service.Spec.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var rule in config.Access)
        {
            if (rule.Spec is { User: null, Group: null } && !rule.Given.ContainsKey("user") && !rule.Given.ContainsKey("group"))
            {
                yield return rule.Diagnostic(
                    "user", "the rule names neither a user nor a group", "write user = \"deploy\" or group = \"ops\"");
            }

            if (rule.Spec.Verbs.Contains(AccessVerb.Reload) && !rule.Spec.Services.Contains(AccessRule.EveryService))
            {
                yield return rule.Diagnostic(
                    "verbs", "\"reload\" applies the configuration of every service, and the rule is for some",
                    "write services = [\"*\"], or remove \"reload\"");
            }

            foreach (var (key, noun) in new[] { ("services", "service"), ("verbs", "verb") })
            {
                if (rule.Given.TryGetValue(key, out var list) && list.Node.Items.Count == 0)
                {
                    yield return rule.Diagnostic(
                        key, $"the rule names no {noun}, so that it permits nothing", $"name a {noun}, or remove the rule") with
                    {
                        IsWarning = true,
                    };
                }
            }

            foreach (var unknown in (rule.Given.TryGetValue("services", out var given) ? given.Node.Items : [])
                .Where(item => item.Text != AccessRule.EveryService && !services.Contains(item.Text)))
            {
                yield return unknown.Diagnostic(
                    given!.Path, $"no service named {unknown.Shown}",
                    Spelling.Nearest(unknown.Text, services) is { } near
                        ? $"did you mean {Quoted.Text(near)}?"
                        : $"add a section [service.{unknown.Text}], or write \"*\" for every service");
            }
        }
    }
}
