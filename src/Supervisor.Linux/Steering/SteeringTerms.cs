using Supervisor.Core.Listeners;

namespace Supervisor.Linux.Steering;

/// <summary>What a program has to do for one listener.</summary>
/// <param name="Kind">TCP or UDP.</param>
/// <param name="Affinity">How datagrams stay with their worker; null: each is selected alone.</param>
public sealed record SteeringTerms(ListenerKind Kind, AffinityOptions? Affinity)
{
    /// <summary>
    /// The most sockets at the same time: those of two whole generations of 500 workers, which is as many as a table of
    /// <see cref="SteeringTable.Length"/> entries can tell apart.
    /// </summary>
    public const int MostSockets = 1024;
}
