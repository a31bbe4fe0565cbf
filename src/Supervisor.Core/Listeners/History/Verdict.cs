using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners.History;

/// <summary>How the kernel's answer compares with what was asked.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Verdict>))]
public enum Verdict
{
    /// <summary>The effective value is the one asked for.</summary>
    Exact,

    /// <summary>The kernel keeps another value: doubled, rounded or clamped.</summary>
    Adjusted,

    /// <summary>The call succeeded and changed nothing.</summary>
    Ignored,

    /// <summary>The call failed; errno says how.</summary>
    Refused,

    /// <summary>Not asked for: the value that the kernel, a sysctl or the socket's maker gave it.</summary>
    Inherited,

    /// <summary>A holder changed it since.</summary>
    Drifted,
}
