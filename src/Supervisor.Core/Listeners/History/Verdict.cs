using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners.History;

/// <summary>How the kernel's value compares with the requested one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Verdict>))]
public enum Verdict
{
    /// <summary>The effective value is the requested one.</summary>
    Exact,

    /// <summary>The kernel keeps another value: doubled, rounded or clamped.</summary>
    Adjusted,

    /// <summary>The call succeeded and changed nothing.</summary>
    Ignored,

    /// <summary>The call failed; see errno.</summary>
    Refused,

    /// <summary>Not requested: the value from the kernel, a sysctl or the socket's maker.</summary>
    Inherited,

    /// <summary>A holder changed it afterwards.</summary>
    Drifted,
}
