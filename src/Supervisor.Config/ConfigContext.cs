using System.Net;

namespace Supervisor.Config;

/// <summary>What the parser needs to know of the machine; it does no I/O of its own.</summary>
public sealed record ConfigContext
{
    /// <summary>
    /// The addresses of a host name, none where it has none; must not throw. It is asked only to tell the user what
    /// could be written instead of the name: an address is never chosen for him.
    /// </summary>
    public Func<string, IReadOnlyList<IPAddress>> Resolve { get; init; } = static _ => [];

    /// <summary>The number that <c>workers = "cpus"</c> stands for; 1 or more.</summary>
    public int Cpus { get; init; } = 1;
}
