using System.Text.Json.Serialization;

namespace Supervisor.Core.Protocols;

/// <summary>Whose notify messages count, NotifyAccess= of systemd.service(5).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NotifyAccess>))]
public enum NotifyAccess
{
    /// <summary>Those of all processes of the worker.</summary>
    All,

    /// <summary>Those of the main process. Also systemd's "exec": a hook has no notify socket.</summary>
    Main,

    /// <summary>None.</summary>
    None,
}
