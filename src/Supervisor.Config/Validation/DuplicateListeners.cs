using System.Collections.Immutable;
using Supervisor.Config.Diagnostics;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Config.Validation;

/// <summary>All listeners can be bound at the same time.</summary>
/// <remarks>
/// Two listeners with the same address that may not share it are an error of the configuration. If two addresses overlap, or
/// only one of two listeners may share its address, the later listener cannot be bound. A start serves the other listeners.
/// </remarks>
public static class DuplicateListeners
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        // A name that is defined twice has its own error.
        var listeners = config.ListenersByName;
        var readable = config.Readable.Listeners.Select(spec => spec.Name).ToHashSet(StringComparer.Ordinal);
        var withAddress = listeners.Values.Where(listener => listener.Given.ContainsKey("address")).Select(listener => listener.Spec);
        var addressed = withAddress.ToImmutableArray();
        foreach (var (spec, other) in Respelled(addressed))
        {
            yield return listeners[spec.Name].NodeOf("address").Diagnostic(
                $"{listeners[spec.Name].Path}.address",
                $"{spec.Address} is the same file as {other.Address} of listener {Quoted.Text(other.Name)} "
                + $"at {listeners[other.Name].NodeOf("address").Position} (duplicate-in-config)",
                "give one of the two listeners another address");
        }

        foreach (var (spec, other) in ConfigConflicts.Find(addressed, Devices()))
        {
            var node = listeners[spec.Name].NodeOf("address");
            var setting = $"{listeners[spec.Name].Path}.address";
            if (IsSame(spec, other) && !MayShare(spec) && !MayShare(other))
            {
                yield return node.Diagnostic(
                    setting,
                    $"{spec.Address} is also the address of listener {Quoted.Text(other.Name)} "
                    + $"at {listeners[other.Name].NodeOf("address").Position} (duplicate-in-config)",
                    spec.Address.Kind.IsInternet()
                        ? "give one of the two listeners another address, or set bind.reuse_port = true in both"
                        : "give one of the two listeners another address");
            }
            else if (readable.Contains(spec.Name) && readable.Contains(other.Name))
            {
                var diagnosis = BindFailureClassifier.DuplicateInConfig(spec, other);
                yield return node.Diagnostic(setting, diagnosis.Verdict, diagnosis.Advice) with
                {
                    Bind = new BindFailure(spec.Name, diagnosis),
                };
            }
        }
    }

    /// <summary>A path without double slashes and <c>/./</c>, which lead to the same file whatever the directories are.</summary>
    public static string Plain(string path) => "/" + string.Join('/', path.Split('/').Where(part => part is not ("" or ".")));

    private static IEnumerable<(ListenerSpec Spec, ListenerSpec Other)> Respelled(IEnumerable<ListenerSpec> specs) =>
        from same in specs.Where(spec => spec.Address.HasFile).GroupBy(spec => Plain(spec.Address.Path!), StringComparer.Ordinal)
        let first = same.First()
        from other in same.Skip(1)
        where other.Address.Path != first.Address.Path
        select (other, first);

    /// <summary>A number for each interface name. The rule does not ask the host for the real numbers.</summary>
    public static Func<string, uint> Devices()
    {
        var numbers = new Dictionary<string, uint>(StringComparer.Ordinal);
        return name => numbers.TryGetValue(name, out var number) ? number : numbers[name] = (uint)numbers.Count + 1;
    }

    /// <summary>Whether the addresses are equal. MPTCP shares TCP's ports, and all UNIX sockets share the file system.</summary>
    private static bool IsSame(ListenerSpec spec, ListenerSpec other)
    {
        var (one, two) = (spec.Address, other.Address);
        return spec.Bind.Device == other.Bind.Device && (one.Path is not null
            ? one.Path == two.Path
            : one.IsAnyFamily == two.IsAnyFamily && Equals(one.Host, two.Host)
                && (one.Scope, one.Port, one.Cid) == (two.Scope, two.Port, two.Cid));
    }

    private static bool MayShare(ListenerSpec spec) =>
        spec.HasReusePort || (spec.Address.Kind == ListenerKind.Udp && spec.Bind.ReuseAddress == true);
}
