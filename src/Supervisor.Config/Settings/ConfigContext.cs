using System.Net;

namespace Supervisor.Config.Settings;

/// <summary>What the parser needs to know of the machine; it does no I/O of its own.</summary>
public sealed record ConfigContext
{
    /// <summary>
    /// The addresses of a host name, none where it has none; must not throw. It is asked only to tell the user what
    /// could be written instead of the name: an address is never chosen for him.
    /// </summary>
    public Func<string, IReadOnlyList<IPAddress>> Resolve { get; init; } = static _ => [];

    /// <summary>
    /// Whether a service may list that name although no listener is configured under it: somebody has given the daemon a
    /// descriptor of that name. None, unless the caller knows of some.
    /// </summary>
    public Func<string, bool> IsGiven { get; init; } = static _ => false;

    /// <summary>
    /// Whether a service may list a name that nobody knows yet, and wait until it is given; one that looks like a configured
    /// one misspelt is an error all the same, and so is any where no listener is configured at all.
    /// </summary>
    public bool AwaitsGiven { get; init; }

    /// <summary>The number that <c>workers = "cpus"</c> stands for; 1 or more.</summary>
    public int Cpus { get; init; } = 1;
}
