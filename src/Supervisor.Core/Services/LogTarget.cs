using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary><c>log</c>.</summary>
/// <param name="Kind">Where.</param>
/// <param name="Path">The file of <see cref="LogTargetKind.File"/>.</param>
public sealed record LogTarget(LogTargetKind Kind, string? Path = null)
{
    /// <summary>The journal under systemd, else the daemon's own output.</summary>
    public static readonly LogTarget Default = new(LogTargetKind.Default);
}

/// <summary>Where a worker's output goes.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LogTargetKind>))]
public enum LogTargetKind
{
    /// <summary>The journal under systemd, else the daemon's own output.</summary>
    Default,

    /// <summary>The journal.</summary>
    Journal,

    /// <summary>The daemon's own output.</summary>
    Inherit,

    /// <summary>A file.</summary>
    File,
}
