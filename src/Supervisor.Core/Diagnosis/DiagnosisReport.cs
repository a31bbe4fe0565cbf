using System.Globalization;
using Supervisor.Core.Listeners;

namespace Supervisor.Core.Diagnosis;

/// <summary>The result of a diagnosis.</summary>
/// <param name="Listeners">The listeners, each with its findings, the most serious first.</param>
/// <param name="HostFindings">The findings about the host.</param>
/// <param name="First">The first look.</param>
/// <param name="Second">The second look.</param>
public sealed record DiagnosisReport(
    IReadOnlyList<(ListenerFacts Facts, IReadOnlyList<Finding> Findings)> Listeners, IReadOnlyList<Finding> HostFindings, KernelLook First,
    KernelLook Second)
{
    /// <summary>Compares two looks at the listeners. Pure.</summary>
    /// <param name="listeners">The listeners.</param>
    /// <param name="first">The first look.</param>
    /// <param name="second">The second look.</param>
    /// <param name="between">Samples of the sockets in between, oldest first.</param>
    public static DiagnosisReport Of(
        IReadOnlyList<ListenerSubject> listeners, KernelLook first, KernelLook second,
        IReadOnlyList<IReadOnlyDictionary<ulong, SocketSample>> between)
    {
        var all = listeners.Select(listener => new ListenerFacts(listener, first, second, between))
            .Select(facts => (facts, (IReadOnlyList<Finding>)[.. FindingsOf(facts).OrderByDescending(finding => finding.Severity)]));
        return new DiagnosisReport([.. all], [.. HostRules.Of(first, second)], first, second);
    }

    /// <summary>All findings, the most serious first.</summary>
    public IEnumerable<Finding> Findings =>
        Listeners.SelectMany(listener => listener.Findings).Concat(HostFindings).OrderByDescending(finding => finding.Severity);

    /// <summary>The result in one sentence without a full stop.</summary>
    public string Verdict
    {
        get
        {
            if (Findings.FirstOrDefault(finding => finding.Severity != FindingSeverity.Info) is { } worst)
            {
                var others = Findings.Count(finding => finding.Severity != FindingSeverity.Info) - 1;
                return others == 0 ? worst.Text : $"{worst.Text} (and {Words.Count(others, "other finding")})";
            }

            var connections = Listeners.Sum(listener => listener.Facts.Connections.Count);
            var dropped = Listeners.Sum(listener => listener.Facts.DropsTotal ?? 0);
            var before = dropped == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; earlier drops in total: {dropped}");
            return $"nothing waits and nothing is lost: {Words.Count(Listeners.Count, "listener")}, "
                + $"{Words.Count(connections, "connection")}{before}";
        }
    }

    /// <summary>The growth of a counter in one second; null if it is unknown.</summary>
    public double? PerSecond(Func<HostSample, long?> counter) =>
        counter(Second.Host) is { } now && counter(First.Host) is { } before && Second.At > First.At
            ? Math.Round(Math.Max(0, now - before) / (Second.At - First.At).TotalSeconds, 1)
            : null;

    private static IEnumerable<Finding> FindingsOf(ListenerFacts facts) => facts.Listener.NotBound is { } reason
        ? [
            new Finding(
                FindingCode.NotBound, FindingSeverity.Critical, $"listener {facts.Listener.Name} is not bound: {reason}",
                $"listenctl listeners {facts.Listener.Name}", [reason]),
        ]
        : facts.Listener.Kind.Listens()
        ? [.. WorkerRules.Of(facts), .. QueueRules.Of(facts), .. ConnectionRules.Of(facts)]
        : [.. WorkerRules.Of(facts), .. DatagramRules.Of(facts)];
}
