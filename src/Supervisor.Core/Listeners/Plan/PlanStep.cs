using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.Plan;

/// <summary>One call of a <see cref="ListenerPlan"/>.</summary>
/// <param name="Phase">The step that the call belongs to.</param>
public abstract record PlanStep(HandlePhase Phase);

/// <summary>socket(): close-on-exec from the beginning, O_NONBLOCK as configured.</summary>
public sealed record CreateStep(ListenerKind Kind, SocketDomain Domain, bool NonBlocking) : PlanStep(HandlePhase.Create)
{
    /// <summary>The file of the network namespace in which the socket is made; null: the daemon's own.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>The protocol of a netlink socket: its family, linux/netlink.h. Not used by the others.</summary>
    public int Protocol { get; init; }
}

/// <summary>open() or mq_open(), for what is not a socket; makes a FIFO or a message queue that is not there.</summary>
public sealed record OpenStep() : PlanStep(HandlePhase.Create);

/// <summary>setsockopt().</summary>
public sealed record SetOptionStep(SocketOption Option, OptionValue Value) : PlanStep(Option.Phase)
{
    /// <summary>The option to try if the kernel rejects this one.</summary>
    public SetOptionStep? Fallback { get; init; }
}

/// <summary>
/// fchmod() on the unbound UNIX socket: bind() gives the file that mode less the umask, so it never has more bits than
/// configured.
/// </summary>
public sealed record SocketModeStep(int Mode) : PlanStep(HandlePhase.PreBind);

/// <summary>bind().</summary>
public sealed record BindStep(ListenAddress Address) : PlanStep(HandlePhase.Bind);

/// <summary>chown() of the socket file.</summary>
public sealed record PathOwnerStep(string Path, string? User, string? Group) : PlanStep(HandlePhase.PreListen);

/// <summary>chmod() of the socket file, for the bits that the umask removed.</summary>
public sealed record PathModeStep(string Path, int Mode) : PlanStep(HandlePhase.PreListen);

/// <summary>MCAST_JOIN_GROUP or MCAST_JOIN_SOURCE_GROUP.</summary>
public sealed record JoinGroupStep(MulticastMembership Membership) : PlanStep(HandlePhase.PreListen);

/// <summary>listen().</summary>
public sealed record ListenStep(int Backlog) : PlanStep(HandlePhase.Listen);
