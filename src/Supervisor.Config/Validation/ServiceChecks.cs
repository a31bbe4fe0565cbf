using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Toml;
using Supervisor.Config.Values;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Validation;

/// <summary>What no setting of a service shows alone: whether its listeners exist, and whether its settings go together.</summary>
internal static class ServiceChecks
{
    public static void Check(
        IReadOnlyList<SectionReading<ServiceSpec>> services,
        IReadOnlyList<SectionReading<ListenerSpec>> listeners,
        ConfigContext context,
        DiagnosticList report)
    {
        // Defined twice is reported elsewhere; the first one counts here.
        var byName = listeners.DistinctBy(l => l.Spec.Name).ToDictionary(l => l.Spec.Name, StringComparer.Ordinal);
        foreach (var service in services)
        {
            CheckListeners(service, byName, context, report);
            CheckStart(service, report);
            CheckReadiness(service, byName, report);
            CheckRollout(service, report);
            CheckRestart(service, report);
        }
    }

    private static void CheckListeners(
        SectionReading<ServiceSpec> service,
        Dictionary<string, SectionReading<ListenerSpec>> listeners,
        ConfigContext context,
        DiagnosticList report)
    {
        if (service.Given.TryGetValue("listeners", out var given))
        {
            var seen = new Dictionary<string, TomlNode>(StringComparer.Ordinal);
            foreach (var item in given.Node.Items)
            {
                if (!seen.TryAdd(item.Text, item))
                {
                    report.Add(
                        item.Position,
                        item.SettingName ?? given.Path,
                        $"listener {item.Shown} is listed twice: first at {seen[item.Text].Position}",
                        "keep one of the two");
                }
                else if (!listeners.ContainsKey(item.Text) && !context.IsGiven(item.Text))
                {
                    var near = Spelling.Nearest(item.Text, listeners.Keys);
                    if (near is null && context.AwaitsGiven && listeners.Count > 0 && SettingTypes.CheckName(item.Text) is null)
                    {
                        continue;
                    }

                    report.Add(
                        item.Position,
                        item.SettingName ?? given.Path,
                        $"there is no listener {item.Shown}",
                        near is not null
                            ? $"did you mean {Quoted.Text(near)}?"
                            : $"define it in a section [listener.{item.Text}], name one that there is ({Names(listeners)}), or give the daemon a descriptor of that name first (listenctl put)");
                }
            }
        }

        var spec = service.Spec;
        if (spec.Handoff == HandoffKind.Stdin && spec.Listeners.Length != 1 && ListsAreKnown(service))
        {
            Report(
                service, report, "handoff", $"\"stdin\" hands over exactly one listener, and this service lists {spec.Listeners.Length}",
                "list one listener, or choose another hand-off, such as \"listen-fds\"");
        }
    }

    private static void CheckStart(SectionReading<ServiceSpec> service, DiagnosticList report)
    {
        var spec = service.Spec;
        if (spec.Start == StartMode.OnDemand && spec.Listeners.Length == 0 && ListsAreKnown(service))
        {
            Report(
                service, report, "start", "\"on-demand\" waits for a connection, and this service lists no listener",
                "list the listener to wait on in listeners, or write start = \"now\"");
        }

        if (spec.StopWhenIdle > TimeSpan.Zero && spec.Start != StartMode.OnDemand)
        {
            Report(
                service, report, "stop_when_idle",
                $"\"{Duration.Format(spec.StopWhenIdle)}\" would end workers that nothing starts again, since start is \"now\"",
                "write start = \"on-demand\" too, or stop_when_idle = \"0s\"");
        }
    }

    private static void CheckReadiness(
        SectionReading<ServiceSpec> service,
        Dictionary<string, SectionReading<ListenerSpec>> listeners,
        DiagnosticList report)
    {
        var kind = service.Spec.Readiness.Kind;
        if (kind is not (ReadinessKind.Accepting or ReadinessKind.Http) || !ListsAreKnown(service))
        {
            return;
        }

        var kinds = new List<ListenerKind>();
        foreach (var name in service.Spec.Listeners)
        {
            // A listener that is missing, or whose address is wrong, has its own error; what it would be is not known.
            if (!listeners.TryGetValue(name, out var listener) || !listener.Given.ContainsKey("address"))
            {
                return;
            }

            kinds.Add(listener.Spec.Address.Kind);
        }

        if (kind == ReadinessKind.Accepting && !kinds.Any(k => k.Listens()))
        {
            Report(
                service, report, "ready",
                "\"accepting\" watches for accept() on a listener, and this service lists none that accepts connections",
                "list a stream listener in listeners, or write ready = \"notify\" or \"started\"");
        }
        else if (kind == ReadinessKind.Http && !kinds.Any(k => k.Listens() && k != ListenerKind.UnixSeqpacket))
        {
            Report(
                service, report, "ready",
                $"\"http:{service.Spec.Readiness.Path}\" is asked on a stream listener, and this service lists none",
                "list a tcp:// or unix:// listener in listeners, or write ready = \"notify\" or \"started\"");
        }
    }

    private static void CheckRollout(SectionReading<ServiceSpec> service, DiagnosticList report)
    {
        if (service.Spec.Rollout is { Strategy: RolloutStrategy.Rolling, MaxSurge: 0, MaxUnavailable: 0 })
        {
            Report(
                service, report, "rollout.max_surge", "with max_surge 0 and max_unavailable 0 no worker may be replaced: none may come beside a full set, and none may be missing",
                "write max_surge = 1, or max_unavailable = 1 or strategy = \"stop-first\", by which the old worker goes first");
        }
    }

    private static void CheckRestart(SectionReading<ServiceSpec> service, DiagnosticList report)
    {
        var restart = service.Spec.Restart;
        if (restart.Backoff > restart.BackoffMax)
        {
            var key = service.Given.ContainsKey("restart.backoff") ? "restart.backoff" : "restart.backoff_max";
            Report(
                service, report, key,
                $"backoff \"{Duration.Format(restart.Backoff)}\" is longer than backoff_max \"{Duration.Format(restart.BackoffMax)}\"",
                "write a backoff that is no longer than backoff_max");
        }
    }

    /// <summary>Whether the list of listeners is what the user wrote: not where it could not be read.</summary>
    private static bool ListsAreKnown(SectionReading<ServiceSpec> service) =>
        service.Given.ContainsKey("listeners") || service.Table.Find("listeners") is null;

    private static void Report(SectionReading<ServiceSpec> service, DiagnosticList report, string key, string message, string remedy)
    {
        var node = service.NodeOf(key);
        report.Add(node.Position, node.SettingName ?? $"{service.Path}.{key}", message, remedy);
    }

    private static string Names(Dictionary<string, SectionReading<ListenerSpec>> listeners) =>
        listeners.Count == 0 ? "none yet" : string.Join(", ", listeners.Keys.Take(20));
}
