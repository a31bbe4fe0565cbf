namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>Whose ports: TCP and UDP count apart, MPTCP binds TCP's (net/mptcp/protocol.c, mptcp_bind).</summary>
public enum PortSpace
{
    /// <summary>TCP and MPTCP.</summary>
    Tcp,

    /// <summary>UDP.</summary>
    Udp,
}
