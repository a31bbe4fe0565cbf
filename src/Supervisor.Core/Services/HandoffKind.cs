using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary><c>handoff</c>: the protocol by which a worker takes its listeners.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HandoffKind>))]
public enum HandoffKind
{
    /// <summary>LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES; descriptors from 3. sd_listen_fds(3).</summary>
    ListenFds,

    /// <summary>SCM_RIGHTS from the broker, on request.</summary>
    ScmRights,

    /// <summary>EINHORN_FD_*.</summary>
    Einhorn,

    /// <summary>SERVER_STARTER_PORT.</summary>
    ServerStarter,

    /// <summary>NGINX.</summary>
    Nginx,

    /// <summary>GUNICORN_FD.</summary>
    Gunicorn,

    /// <summary>The listener as descriptor 0.</summary>
    Stdin,

    /// <summary>No descriptors.</summary>
    None,
}
