using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary><c>start</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StartMode>))]
public enum StartMode
{
    /// <summary>With the daemon.</summary>
    Now,

    /// <summary>At the first connection.</summary>
    OnDemand,

    /// <summary>A process for each connection, which the daemon accepts.</summary>
    PerConnection,
}
