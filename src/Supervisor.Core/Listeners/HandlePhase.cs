using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners;

/// <summary>
/// The step of a listener's life in which something happened. An option works only in its own step: options before bind()
/// decide who may own the address, options before listen() decide about the queue and what accepted connections inherit.
/// </summary>
[JsonConverter(typeof(HandlePhaseConverter))]
public enum HandlePhase
{
    /// <summary>socket(), or the arrival of a descriptor made elsewhere.</summary>
    Create,

    /// <summary>Options that bind() reads.</summary>
    PreBind,

    /// <summary>bind() itself.</summary>
    Bind,

    /// <summary>Between bind() and listen(): buffers, inherited options, permissions of a UNIX path, group membership.</summary>
    PreListen,

    /// <summary>listen() itself.</summary>
    Listen,

    /// <summary>Options that can only be set on a listening socket.</summary>
    PostListen,

    /// <summary>Read-back: getsockname, TCP_INFO, getsockopt.</summary>
    Verify,

    /// <summary>The handle was passed to another process.</summary>
    Handoff,

    /// <summary>A holder changed the shared socket.</summary>
    Drift,

    /// <summary>A change was undone.</summary>
    Repair,

    /// <summary>A descriptor made elsewhere was taken over.</summary>
    Adopt,

    /// <summary>The kernel was told which socket gets new connections.</summary>
    Steer,

    /// <summary>The daemon's descriptor was closed.</summary>
    Close,
}
