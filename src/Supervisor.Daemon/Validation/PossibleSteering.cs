using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Linux.Steering;

namespace Supervisor.Daemon.Validation;

/// <summary>Rule: the kernel steers for this user. A listener that it does not steer serves as without steering.</summary>
internal static class PossibleSteering
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from listener in config.Readable.Listeners
        where listener.IsSteered
        let whyNot = WhyNot(new SteeringTerms(listener.Address.Kind, listener.Affinity))
        where whyNot is not null
        select config.Places.Diagnostic(
            "listener", listener.Name, listener.Affinity is null ? "steering" : "affinity.by",
            $"the kernel cannot steer here: {whyNot}: all workers share the socket",
            "give listend CAP_BPF (the drop-in steering.conf) on Linux 5.14 or later, or remove steering and affinity") with
        { IsWarning = true };

    private static string? WhyNot(SteeringTerms terms)
    {
        using var engine = SteeringEngine.Create(terms, out var whyNot);
        return whyNot;
    }
}
