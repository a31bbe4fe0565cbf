using System.Net;

namespace Supervisor.Load;

/// <summary>What a <see cref="LoadRun"/> asks of a server.</summary>
public sealed record LoadPlan
{
    /// <summary>
    /// Where the server listens: an <see cref="IPEndPoint"/> or a <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>.
    /// </summary>
    public required EndPoint Target { get; init; }

    /// <summary>New connections a second, each for one request. 0: none.</summary>
    public int NewConnectionsPerSecond { get; init; }

    /// <summary>Connections that are kept, each with one request at a time.</summary>
    public int KeepAliveConnections { get; init; }

    /// <summary>Time from one request to the next on a kept connection. Zero: back to back.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Slow requests in flight at all times.</summary>
    public int SlowInFlight { get; init; }

    /// <summary>How long the server is asked to take over a slow request.</summary>
    public TimeSpan SlowFor { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time for one request, from connect() to the last byte; a slow one has <see cref="SlowFor"/> on top.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most new connections in flight at once. What is due beyond that fails as <see cref="FailureKind.Overrun"/>.</summary>
    public int MaxInFlight { get; init; } = 8192;

    /// <summary>What new and kept connections ask for.</summary>
    public string Path { get; init; } = "/";

    /// <summary>What slow requests ask for; <c>{0}</c> stands for <see cref="SlowFor"/> in milliseconds.</summary>
    public string SlowPath { get; init; } = "/slow?ms={0}";
}
