using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary><c>stop_mode</c>. In both modes all processes of the worker are waited for until <c>stop_timeout</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StopMode>))]
public enum StopMode
{
    /// <summary>All processes of the worker get the stop signal.</summary>
    Group,

    /// <summary>Only its main process gets it.</summary>
    Main,
}
