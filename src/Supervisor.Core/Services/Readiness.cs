using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary><c>ready</c>.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Path">The probed path of <see cref="ReadinessKind.Http"/>.</param>
public sealed record Readiness(ReadinessKind Kind, string? Path = null)
{
    /// <summary>The lowest number of <see cref="Descriptor"/>: the ones below are the standard descriptors.</summary>
    public const int LowestDescriptor = 3;

    /// <summary>The highest number of <see cref="Descriptor"/>: most processes may have 1024 descriptors.</summary>
    public const int HighestDescriptor = 1023;

    /// <summary>The number of the worker's descriptor, with <see cref="ReadinessKind.Descriptor"/>; otherwise 0.</summary>
    public int Descriptor { get; init; }

    /// <summary>What a line contains, with <see cref="ReadinessKind.Log"/>; otherwise null.</summary>
    public string? Text { get; init; }

    /// <summary>The program and its arguments, with <see cref="ReadinessKind.Exec"/>; otherwise empty.</summary>
    public ImmutableArray<string> Command { get; init; } = [];

    /// <summary>As the configuration has it; a command only by its program.</summary>
    public string Spelled() => Kind switch
    {
        ReadinessKind.Notify => "notify",
        ReadinessKind.Started => "started",
        ReadinessKind.Accepting => "accepting",
        ReadinessKind.Http => $"http:{Path}",
        ReadinessKind.Tcp => "tcp",
        ReadinessKind.Descriptor => $"fd:{Descriptor}",
        ReadinessKind.Log => $"log:{Text}",
        ReadinessKind.Exec => $"exec:{Command[0]}",
        _ => throw new ArgumentOutOfRangeException(nameof(Kind), Kind, null),
    };

    /// <summary>By value, the command included.</summary>
    public bool Equals(Readiness? other) =>
        other is not null && (Kind, Path, Descriptor, Text) == (other.Kind, other.Path, other.Descriptor, other.Text)
        && Command.SequenceEqual(other.Command);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Path, Descriptor, Text, Command.Length);

    /// <summary>READY=1.</summary>
    public static readonly Readiness Notify = new(ReadinessKind.Notify);

    /// <summary>At exec.</summary>
    public static readonly Readiness Started = new(ReadinessKind.Started);
}

/// <summary>The condition for a ready worker.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ReadinessKind>))]
public enum ReadinessKind
{
    /// <summary>READY=1.</summary>
    Notify,

    /// <summary>The exec of its program.</summary>
    Started,

    /// <summary>A probe sees it wait for connections.</summary>
    Accepting,

    /// <summary>It answers a probe with 2xx.</summary>
    Http,

    /// <summary>It accepts a connection of a probe.</summary>
    Tcp,

    /// <summary>It writes a newline to a descriptor.</summary>
    Descriptor,

    /// <summary>It writes a line with a text to its output.</summary>
    Log,

    /// <summary>A program exits with status 0.</summary>
    Exec,
}
