using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary><c>restart</c>: for each worker slot.</summary>
public sealed record RestartSpec
{
    /// <summary>The policy.</summary>
    public RestartPolicy Policy { get; init; } = RestartPolicy.Always;

    /// <summary>The wait before the second try in a row; it doubles from try to try.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait between two tries.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many restarts a slot may have within <see cref="LimitInterval"/> before it waits for
    /// <see cref="BackoffMax"/>; 0: no limit.
    /// </summary>
    public int Limit { get; init; } = 5;

    /// <summary>The interval of <see cref="Limit"/>.</summary>
    public TimeSpan LimitInterval { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary><c>restart.policy</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RestartPolicy>))]
public enum RestartPolicy
{
    /// <summary>After any exit.</summary>
    Always,

    /// <summary>Unless it exited with status 0, or by SIGHUP, SIGINT, SIGTERM or SIGPIPE.</summary>
    OnFailure,

    /// <summary>Never.</summary>
    Never,
}
