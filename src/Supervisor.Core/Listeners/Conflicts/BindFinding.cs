using System.Collections.Immutable;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The cause of an error, with its sockets.</summary>
/// <param name="Cause">The cause.</param>
/// <param name="Holders">The sockets in the way, the one that names the cause first.</param>
/// <param name="Verdict">One sentence: the situation, with names.</param>
internal sealed record BindFinding(BindCause Cause, ImmutableArray<SocketHolder> Holders, string Verdict)
{
    /// <summary>A finding without a socket in the way.</summary>
    public BindFinding(BindCause cause, string verdict)
        : this(cause, [], verdict)
    {
    }
}
