using Supervisor.Core.Listeners;

namespace Supervisor.Core.Reload;

/// <summary>One setting of a listener, as reload sees it.</summary>
/// <param name="Setting">The configuration's name within the listener, such as <c>buffers.receive</c>.</param>
/// <param name="Same">Whether two specifications agree in it.</param>
/// <param name="Change">What a change from the first to the second needs.</param>
public sealed record ListenerTerm(
    string Setting, Func<ListenerSpec, ListenerSpec, bool> Same, Func<ListenerSpec, ListenerSpec, TermChange> Change);

/// <summary>What the change of a setting needs on a living listener.</summary>
public enum TermChange
{
    /// <summary>Nothing: only the daemon uses it, not the socket.</summary>
    DaemonOnly,

    /// <summary>A call on the living socket, or on its file.</summary>
    InPlace,

    /// <summary>More sockets next to the existing ones, or fewer.</summary>
    Shards,

    /// <summary>Another socket.</summary>
    NewSocket,
}
