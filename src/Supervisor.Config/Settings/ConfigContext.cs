using System.Net;

namespace Supervisor.Config.Settings;

/// <summary>What the parser needs to know about the machine. The parser itself does no I/O.</summary>
public sealed record ConfigContext
{
    /// <summary>
    /// Returns the addresses of a host name, or none, or null without a look at the host; it must not throw. The parser uses them only
    /// to suggest what to write instead of the name. It never chooses an address.
    /// </summary>
    public Func<string, IReadOnlyList<IPAddress>?> Resolve { get; init; } = static _ => null;

    /// <summary>
    /// Whether a service may list a name although no listener of this name is configured, because a client has put a
    /// descriptor with this name. By default no name.
    /// </summary>
    public Func<string, bool> IsGiven { get; init; } = static _ => false;

    /// <summary>
    /// Whether a service may list an unknown name and wait until a client puts a descriptor with it. A name that resembles
    /// a configured one is an error in any case. So is every unknown name if no listener is configured.
    /// </summary>
    public bool AwaitsGiven { get; init; }

    /// <summary>The number that <c>workers = "cpus"</c> stands for; 1 or more.</summary>
    public int Cpus { get; init; } = 1;
}
