using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Toml;
using Supervisor.Config.Values;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>
/// A service lists each listener once, and the listener is configured or was put by a client. A start may wait for the put.
/// </summary>
internal static class KnownListeners
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) => config.Services.SelectMany(service => Check(service, config));

    private static IEnumerable<ConfigDiagnostic> Check(SectionReading<ServiceSpec> service, ParsedConfig config)
    {
        if (!service.Given.TryGetValue("listeners", out var given))
        {
            yield break;
        }

        var (known, context) = (config.ListenersByName, config.Context);
        var seen = new Dictionary<string, TomlNode>(StringComparer.Ordinal);
        foreach (var item in given.Node.Items)
        {
            if (!seen.TryAdd(item.Text, item))
            {
                yield return item.Diagnostic(
                    given.Path, $"listener {item.Shown} is listed twice: first at {seen[item.Text].Position}", "remove one of the two");
            }
            else if (!known.ContainsKey(item.Text) && !context.IsGiven(item.Text))
            {
                var near = Spelling.Nearest(item.Text, known.Keys);
                if (near is not null || !context.AwaitsGiven || known.Count == 0 || SettingTypes.CheckName(item.Text) is not null)
                {
                    var configured = known.Count == 0 ? "none is configured" : string.Join(", ", known.Keys.Take(20));
                    yield return item.Diagnostic(
                        given.Path,
                        $"no listener named {item.Shown}",
                        near is not null
                            ? $"did you mean {Quoted.Text(near)}?"
                            : $"add a section [listener.{item.Text}], list another listener ({configured}), "
                            + $"or give the daemon a descriptor of that name first: listenctl put {item.Text} --fd N");
                }
            }
        }
    }
}
