namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The port space: TCP and UDP have separate ones; MPTCP uses TCP's (net/mptcp/protocol.c, mptcp_bind).</summary>
public enum PortSpace
{
    /// <summary>TCP and MPTCP.</summary>
    Tcp,

    /// <summary>UDP.</summary>
    Udp,
}
