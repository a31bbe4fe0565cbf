using System.Globalization;
using Supervisor.Core.Listeners;

namespace Supervisor.Core.Diagnosis;

/// <summary>A listener that is examined, as the daemon knows it; without a daemon as the kernel shows it.</summary>
/// <param name="Name">Its name; without a daemon its address.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Address">The effective address; null without a socket.</param>
/// <param name="Sockets">Its sockets by shard.</param>
/// <param name="Workers">The workers that may have it, draining ones included.</param>
public sealed record ListenerSubject(
    string Name, ListenerKind Kind, ListenAddress? Address, IReadOnlyList<SocketSubject> Sockets, IReadOnlyList<WorkerSubject> Workers)
{
    /// <summary>The file of the network namespace in which it was made; null for the daemon's.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>The configured listen.backlog; null if unknown, and for a datagram socket.</summary>
    public long? Backlog { get; init; }

    /// <summary>Whether it has TCP_DEFER_ACCEPT, with which the kernel also counts as dropped what it only holds back.</summary>
    public bool IsDeferred { get; init; }

    /// <summary>The configured accepted.keep_alive; null if it is not configured.</summary>
    public bool? KeepAlive { get; init; }

    /// <summary>The names of its UNIX sockets, sun_path with a character for each byte.</summary>
    public IReadOnlyList<string> UnixNames { get; init; } = [];

    /// <summary>The services that list it.</summary>
    public IReadOnlyList<string> Services { get; init; } = [];

    /// <summary>Why it has no socket; null if it has one.</summary>
    public string? NotBound { get; init; }

    /// <summary>Why no worker runs, such as "service api is stopped"; null if one runs or the reason is unknown.</summary>
    public string? WithoutWorkers { get; init; }

    /// <summary>Whether it is intended that no worker runs: an operator stopped the service, or it starts on demand.</summary>
    public bool IsIdleByIntent { get; init; }
}

/// <summary>One socket of a listener.</summary>
/// <param name="Inode">Its inode number.</param>
/// <param name="Shard">Its number, from 0.</param>
/// <param name="IsChosen">Whether the kernel may give it new connections.</param>
public sealed record SocketSubject(ulong Inode, int Shard, bool IsChosen);

/// <summary>A worker that is examined; without a daemon a process that has the listener open.</summary>
/// <param name="Service">Its service; without a daemon the command of the process.</param>
/// <param name="Slot">Its slot; null without a daemon.</param>
/// <param name="Generation">Its generation; null without a daemon.</param>
/// <param name="Pid">Its main process.</param>
/// <param name="State">Its state in the words of the public interface; null without a daemon.</param>
public sealed record WorkerSubject(string Service, int? Slot, int? Generation, int Pid, string? State)
{
    /// <summary>Its known processes, each with its descendants.</summary>
    public IReadOnlyList<int> Roots { get; init; } = [Pid];

    /// <summary>For how long it has had its stop signal; null if it has none.</summary>
    public TimeSpan? DrainsFor { get; init; }

    /// <summary>The evidence of the drain that it keeps accepting; null if there is none.</summary>
    public string? KeepsAccepting { get; init; }

    /// <summary>Whether it should accept connections.</summary>
    public bool IsServing => State is null or "ready";

    /// <summary>Whether it got its stop signal.</summary>
    public bool IsLeaving => State is "draining" or "stopping";

    /// <summary>Such as "worker api/0 (pid 812, generation 3)".</summary>
    public override string ToString() => Slot is null
        ? string.Create(CultureInfo.InvariantCulture, $"process {Service} (pid {Pid})")
        : string.Create(CultureInfo.InvariantCulture, $"worker {Service}/{Slot} (pid {Pid}, generation {Generation})");
}
