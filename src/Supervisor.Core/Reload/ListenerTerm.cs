using Supervisor.Core.Listeners;

namespace Supervisor.Core.Reload;

/// <summary>One setting of a listener, as reload sees it.</summary>
/// <param name="Setting">The configuration's name within the listener, such as <c>buffers.receive</c>.</param>
/// <param name="Same">Whether two specifications agree in it.</param>
/// <param name="Change">What it takes to go from the first to the second.</param>
public sealed record ListenerTerm(string Setting, Func<ListenerSpec, ListenerSpec, bool> Same, Func<ListenerSpec, ListenerSpec, TermChange> Change);

/// <summary>What it takes to change a setting of a listener that lives.</summary>
public enum TermChange
{
    /// <summary>Nothing: the daemon goes by it, the socket does not.</summary>
    DaemonOnly,

    /// <summary>A call on the living socket, or on its file.</summary>
    InPlace,

    /// <summary>More sockets beside those that there are, or some of them taken out.</summary>
    Shards,

    /// <summary>Another socket.</summary>
    NewSocket,
}
