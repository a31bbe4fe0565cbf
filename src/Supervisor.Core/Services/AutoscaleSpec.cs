using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary><c>autoscale</c>: the number of workers follows the number of connections that wait to be accepted.</summary>
public sealed record AutoscaleSpec
{
    /// <summary>The lowest number of workers.</summary>
    public int Min { get; init; } = 1;

    /// <summary>The highest number of workers; 0: the number does not change automatically.</summary>
    public int Max { get; init; }

    /// <summary>More waiting connections than this are too many.</summary>
    public int Queue { get; init; } = 16;

    /// <summary>How long too many connections wait before workers are added.</summary>
    public TimeSpan UpAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long few connections wait before a worker is removed.</summary>
    public TimeSpan DownAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether the number changes automatically.</summary>
    [JsonIgnore]
    public bool IsOn => Max > 0;

    /// <summary>The number that is nearest to <paramref name="workers"/> within the bounds.</summary>
    public int Clamp(int workers) => IsOn ? Math.Clamp(workers, Math.Min(Min, Max), Max) : workers;
}
