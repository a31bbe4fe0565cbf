using System.Globalization;

namespace Supervisor.Core.State;

/// <summary>
/// The keys of the descriptors that a successor takes over: in the manifest, and as FDNAME in systemd's descriptor store, which
/// allows all printable characters except the colon.
/// </summary>
public static class DescriptorKey
{
    /// <summary>The locked file of the runtime directory.</summary>
    public const string Lock = "lock";

    /// <summary>The control socket.</summary>
    public const string Control = "control";

    /// <summary>The broker's socket.</summary>
    public const string Broker = "broker";

    /// <summary>The state itself.</summary>
    public const string State = "state";

    /// <summary>The journal that follows the state.</summary>
    public const string Journal = "journal";

    /// <summary>The link to the keeper.</summary>
    public const string FdHolder = "keeper";

    /// <summary>The pidfd of a running daemon that hands over; its successor starts serving when that daemon has exited.</summary>
    public const string Daemon = "daemon";

    /// <summary>
    /// Whether a successor that starts after the process's exit can use it. Such a successor opens pidfds itself. The lock, the
    /// keeper's link and the broker's connections must end with the process that owns them.
    /// </summary>
    public static bool OutlivesProcess(string key)
    {
        var isProcess = key.StartsWith("service/", StringComparison.Ordinal)
            && (key.EndsWith("/process", StringComparison.Ordinal)
                || key.EndsWith("/first", StringComparison.Ordinal)
                || key.Contains("/hook/", StringComparison.Ordinal));
        return key is not (Lock or FdHolder) && !key.StartsWith(BrokerClientPrefix, StringComparison.Ordinal) && !isProcess;
    }

    private const string ListenerPrefix = "listener/";
    private const string BrokerClientPrefix = "broker/";

    /// <summary>
    /// Whether a running daemon passes it to a successor: all except the pidfd of a spawned process that is no longer the main
    /// process. Only its parent needs to see its exit.
    /// </summary>
    public static bool IsHandedOver(string key) => !key.EndsWith("/first", StringComparison.Ordinal);

    /// <summary>A connection of the broker, by index.</summary>
    public static string BrokerClient(int index) => string.Create(CultureInfo.InvariantCulture, $"{BrokerClientPrefix}{index}");

    /// <summary>The socket of a listener.</summary>
    public static string Listener(string name) => ListenerPrefix + name;

    /// <summary>The socket of a listener's shard, by its number; shard 0 is the listener's own socket.</summary>
    public static string Shard(string name, int shard) =>
        shard == 0 ? Listener(name) : string.Create(CultureInfo.InvariantCulture, $"{ListenerPrefix}{name}/{shard}");

    /// <summary>A shard that is draining, by its inode number.</summary>
    public static string LeavingShard(string name, ulong inode) =>
        string.Create(CultureInfo.InvariantCulture, $"{ListenerPrefix}{name}/leaving/{inode}");

    /// <summary>A further socket of a steered listener, by its slot in the kernel.</summary>
    public static string Steered(string name, int slot) =>
        string.Create(CultureInfo.InvariantCulture, $"{ListenerPrefix}{name}/steered/{slot}");

    /// <summary>A map of a steered listener, or its program.</summary>
    public static string Steering(string name, string what) => $"{ListenerPrefix}{name}/steering/{what}";

    /// <summary>The name of the listener in a key; null for other keys.</summary>
    public static string? ListenerName(string key) =>
        key.StartsWith(ListenerPrefix, StringComparison.Ordinal) ? key[ListenerPrefix.Length..] : null;

    /// <summary>The owner of the descriptors of a worker, for a holder.</summary>
    public static string OwnerOfWorker(string service, int worker) =>
        string.Create(CultureInfo.InvariantCulture, $"service/{service}/{worker}");

    /// <summary>The owner of the descriptors that workers of a service have stored, for a holder.</summary>
    public static string OwnerOfStored(string service) => $"service/{service}/stored";

    /// <summary>The owner of the files that the generations of a service are pinned to, for a holder.</summary>
    public static string OwnerOfPins(string service) => $"service/{service}/pin";

    /// <summary>The service in a key; null for other keys.</summary>
    public static string? ServiceName(string key) => key.Split('/') is ["service", var name, ..] ? name : null;

    /// <summary>The pidfd of a worker's main process.</summary>
    public static string Process(string service, int worker) => Worker(service, worker, "process");

    /// <summary>The pidfd of a worker's spawned process, if another process is the main process.</summary>
    public static string First(string service, int worker) => Worker(service, worker, "first");

    /// <summary>A worker's notify socket.</summary>
    public static string Notify(string service, int worker) => Worker(service, worker, "notify");

    /// <summary>The read end of a worker's standard output.</summary>
    public static string Output(string service, int worker) => Worker(service, worker, "output");

    /// <summary>The read end of a worker's standard error.</summary>
    public static string Error(string service, int worker) => Worker(service, worker, "error");

    /// <summary>The read end of the pipe on which a worker with <c>ready = "fd:N"</c> reports that it is ready.</summary>
    public static string Ready(string service, int worker) => Worker(service, worker, "ready");

    /// <summary>A socket of a worker with <c>handoff = "einhorn"</c>: first the listening one, then its connections.</summary>
    public static string Einhorn(string service, int worker, int index) =>
        Worker(service, worker, string.Create(CultureInfo.InvariantCulture, $"einhorn/{index}"));

    /// <summary>A descriptor that workers of a slot have stored, by its index in the slot.</summary>
    public static string Stored(string service, int slot, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"service/{service}/stored/{slot}/{index}");

    /// <summary>A file that a generation is pinned to, opened with O_PATH.</summary>
    public static string Pin(string service, int generation, string kind) =>
        string.Create(CultureInfo.InvariantCulture, $"service/{service}/pin/{generation}/{kind}");

    /// <summary>A running hook's pidfd, or the read end of its output or error.</summary>
    public static string Hook(string service, string what) => $"service/{service}/hook/{what}";

    private static string Worker(string service, int worker, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"service/{service}/{worker}/{what}");
}
