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

    /// <summary>The value that the maker of an adopted socket decided.</summary>
    Inherited,

    /// <summary>A holder changed it afterwards.</summary>
    Drifted,

    /// <summary>Not configured: the value from the kernel or a sysctl. In documents, never in a history.</summary>
    Default,
}
