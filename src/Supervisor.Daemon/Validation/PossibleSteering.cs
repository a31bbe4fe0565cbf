using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Linux.Steering;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// Rule: the kernel steers for this user. A listener that it does not steer serves as without steering, and shards come and go by a
/// classic program.
/// </summary>
internal static class PossibleSteering
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) => Steered(config).Concat(Sharded(config));

    private static IEnumerable<ConfigDiagnostic> Steered(ParsedConfig config) =>
        from listener in config.Readable.Listeners
        where listener.IsSteered
        let whyNot = WhyNot(new SteeringTerms(listener.Address.Kind, listener.Affinity))
        where whyNot is not null
        select config.Places.Diagnostic(
            "listener", listener.Name, listener.Affinity is null ? "steering" : "affinity.by",
            $"the kernel cannot steer here: {whyNot}: all workers share the socket",
            "give listend CAP_BPF (the drop-in steering.conf) on Linux 5.14 or later, or remove steering and affinity") with
        { IsWarning = true };

    private static IEnumerable<ConfigDiagnostic> Sharded(ParsedConfig config) =>
        from listener in config.Readable.Listeners
        where listener.Shards > 1
        let selection = KernelSelection.Of(listener.Address.Kind)
        where selection.Means == SelectionMeans.Classic
        select config.Places.Diagnostic(
            "listener", listener.Name, "shards",
            $"the kernel selects shards by classic BPF here: {selection.WhyNot}: shards of LISTEN_FDS cannot come or go without loss",
            "give listend CAP_BPF (the drop-in steering.conf) on Linux 5.14 or later")
        with
        { IsWarning = true };

    private static string? WhyNot(SteeringTerms terms)
    {
        using var engine = SteeringEngine.Create(terms, out var whyNot);
        return whyNot;
    }
}
