using Supervisor.Linux.Handoff;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>What handing over to another process needs of the operating system.</summary>
internal interface ITakeoverSystem
{
    /// <summary>Why the peer must not take over now; null if it may.</summary>
    string? Objection(BrokerPeer peer);

    /// <summary>Sends the current state and every descriptor; null, or why the successor did not receive them.</summary>
    string? Send(DescriptorHandle link);

    /// <summary>Waits for the commit; null, or why none came. After a failure a late commit fails too.</summary>
    string? AwaitCommit(DescriptorHandle link);

    /// <summary>Writes the log and exits at once, with status 0.</summary>
    void Exit();
}
