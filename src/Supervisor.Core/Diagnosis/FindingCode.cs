namespace Supervisor.Core.Diagnosis;

/// <summary>What a diagnosis finds.</summary>
public enum FindingCode
{
    /// <summary>An accept queue is at its limit, or the kernel drops connections there.</summary>
    AcceptQueueFull,

    /// <summary>More connections arrive than the workers accept.</summary>
    AcceptQueueGrowing,

    /// <summary>So many handshakes are in progress that the kernel drops new ones or answers with cookies.</summary>
    SynQueueFull,

    /// <summary>The kernel drops handshakes although no queue is full.</summary>
    HandshakesDropped,

    /// <summary>The kernel answers with SYN cookies.</summary>
    SynCookies,

    /// <summary>Connections wait and a worker that could accept them does not, or too slowly.</summary>
    WorkerNotAccepting,

    /// <summary>A worker is at its limit of descriptors, or close to it.</summary>
    WorkerOutOfDescriptors,

    /// <summary>A signal or a debugger has stopped a process of a worker.</summary>
    WorkerStopped,

    /// <summary>A worker that got its stop signal accepts new connections.</summary>
    DrainingWorkerAccepts,

    /// <summary>A shard gets connections and no worker accepts them.</summary>
    ShardUnserved,

    /// <summary>net.core.somaxconn has reduced listen.backlog.</summary>
    BacklogClamped,

    /// <summary>A receive buffer is full: the kernel drops datagrams, or a worker does not read what its clients send.</summary>
    ReceiveBufferFull,

    /// <summary>Nothing of what a worker has sent is acknowledged.</summary>
    SendQueueStuck,

    /// <summary>Clients do not read: their receive windows are closed.</summary>
    PeerNotReading,

    /// <summary>Clients do not answer: the kernel sends again and again.</summary>
    Retransmitting,

    /// <summary>Idle connections without keep-alive, whose clients may have vanished.</summary>
    KeepAliveOff,

    /// <summary>No worker serves the listener.</summary>
    NoWorker,

    /// <summary>The listener has no socket.</summary>
    NotBound,

    /// <summary>The connection tracking table of the network namespace is almost full.</summary>
    ConnectionTrackingFull,

    /// <summary>TCP uses almost all the memory that net.ipv4.tcp_mem gives it.</summary>
    TcpMemoryFull,

    /// <summary>The host has almost as many open files as fs.file-max allows.</summary>
    FileTableFull,
}

/// <summary>The names of codes and severities in the control interface.</summary>
public static class FindingNames
{
    /// <summary>The <c>code</c> of a finding.</summary>
    public static string ToWireName(this FindingCode code) => code switch
    {
        FindingCode.AcceptQueueFull => "accept-queue-full",
        FindingCode.AcceptQueueGrowing => "accept-queue-growing",
        FindingCode.SynQueueFull => "syn-queue-full",
        FindingCode.HandshakesDropped => "handshakes-dropped",
        FindingCode.SynCookies => "syn-cookies",
        FindingCode.WorkerNotAccepting => "worker-not-accepting",
        FindingCode.WorkerOutOfDescriptors => "worker-out-of-descriptors",
        FindingCode.WorkerStopped => "worker-stopped",
        FindingCode.DrainingWorkerAccepts => "draining-worker-accepts",
        FindingCode.ShardUnserved => "shard-unserved",
        FindingCode.BacklogClamped => "backlog-clamped",
        FindingCode.ReceiveBufferFull => "receive-buffer-full",
        FindingCode.SendQueueStuck => "send-queue-stuck",
        FindingCode.PeerNotReading => "peer-not-reading",
        FindingCode.Retransmitting => "retransmitting",
        FindingCode.KeepAliveOff => "keep-alive-off",
        FindingCode.NoWorker => "no-worker",
        FindingCode.NotBound => "not-bound",
        FindingCode.ConnectionTrackingFull => "connection-tracking-full",
        FindingCode.TcpMemoryFull => "tcp-memory-full",
        FindingCode.FileTableFull => "file-table-full",
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, null),
    };

    /// <summary>The <c>severity</c> of a finding.</summary>
    public static string ToWireName(this FindingSeverity severity) => severity switch
    {
        FindingSeverity.Info => "info",
        FindingSeverity.Warning => "warning",
        FindingSeverity.Critical => "critical",
        _ => throw new ArgumentOutOfRangeException(nameof(severity), severity, null),
    };
}
