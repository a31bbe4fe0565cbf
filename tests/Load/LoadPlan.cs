using System.Net;

namespace Supervisor.Load;

/// <summary>The requests of a <see cref="LoadRun"/>.</summary>
public sealed record LoadPlan
{
    /// <summary>
    /// The address of the server: an <see cref="IPEndPoint"/> or a <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>.
    /// </summary>
    public required EndPoint Target { get; init; }

    /// <summary>New connections per second, each for one request. 0: none.</summary>
    public int NewConnectionsPerSecond { get; init; }

    /// <summary>Kept-alive connections, each with one request at a time.</summary>
    public int KeepAliveConnections { get; init; }

    /// <summary>Time from one request to the next on a kept connection. Zero: back to back.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Slow requests in flight at all times.</summary>
    public int SlowInFlight { get; init; }

    /// <summary>The requested duration of a slow request.</summary>
    public TimeSpan SlowFor { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time for one request, from connect() to the last byte; a slow request has <see cref="SlowFor"/> in addition.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The limit of new connections in flight. A request beyond it fails as <see cref="FailureKind.Overrun"/>.</summary>
    public int MaxInFlight { get; init; } = 8192;

    /// <summary>The path for new and kept-alive connections.</summary>
    public string Path { get; init; } = "/";

    /// <summary>The path for slow requests; <c>{0}</c> is <see cref="SlowFor"/> in milliseconds.</summary>
    public string SlowPath { get; init; } = "/slow?ms={0}";
}
