using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners.History;

/// <summary>Where a handle came from.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HandleOrigin>))]
public enum HandleOrigin
{
    /// <summary>Made by this daemon.</summary>
    Created,

    /// <summary>Received by LISTEN_FDS from the process that started the daemon.</summary>
    InheritedSystemd,

    /// <summary>Carried over an upgrade of the daemon.</summary>
    InheritedUpgrade,

    /// <summary>Recovered after the daemon's own restart or death.</summary>
    Recovered,

    /// <summary>Put by a client of the broker.</summary>
    Given,
}
