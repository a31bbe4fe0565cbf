using System.Globalization;

namespace Supervisor.Core.State;

/// <summary>
/// What each descriptor that a successor takes over is called: in the manifest, and as FDNAME in systemd's descriptor store,
/// which allows every printable character but the colon.
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

    /// <summary>The link to the keeper.</summary>
    public const string FdHolder = "keeper";

    /// <summary>The pidfd of a running daemon that hands over: its successor continues when it has exited.</summary>
    public const string Daemon = "daemon";

    /// <summary>
    /// Whether a successor can use it after the process has exited. Such a successor opens pidfds itself; the lock, the keeper's link
    /// and the broker's connections must close with the process.
    /// </summary>
    public static bool OutlivesProcess(string key) =>
        key is not (Lock or FdHolder) && !key.StartsWith(BrokerClientPrefix, StringComparison.Ordinal)
            && !(key.StartsWith("service/", StringComparison.Ordinal)
            && (key.EndsWith("/process", StringComparison.Ordinal) || key.EndsWith("/first", StringComparison.Ordinal) || key.Contains("/hook/", StringComparison.Ordinal)));

    private const string ListenerPrefix = "listener/";
    private const string BrokerClientPrefix = "broker/";

    /// <summary>
    /// Whether a running daemon hands it over: everything but the pidfd of a spawned process that is not the worker any more, because
    /// only its parent can reap it.
    /// </summary>
    public static bool IsHandedOver(string key) => !key.EndsWith("/first", StringComparison.Ordinal);

    /// <summary>A connection of the broker's, by a number.</summary>
    public static string BrokerClient(int index) => string.Create(CultureInfo.InvariantCulture, $"{BrokerClientPrefix}{index}");

    /// <summary>The socket of a listener.</summary>
    public static string Listener(string name) => ListenerPrefix + name;

    /// <summary>The socket of one of a listener's shards, by its number; the first one is the listener's.</summary>
    public static string Shard(string name, int shard) =>
        shard == 0 ? Listener(name) : string.Create(CultureInfo.InvariantCulture, $"{ListenerPrefix}{name}/{shard}");

    /// <summary>A shard that is draining, by its inode number.</summary>
    public static string LeavingShard(string name, ulong inode) =>
        string.Create(CultureInfo.InvariantCulture, $"{ListenerPrefix}{name}/leaving/{inode}");

    /// <summary>The name of the listener that a key belongs to; null where it is none.</summary>
    public static string? ListenerName(string key) =>
        key.StartsWith(ListenerPrefix, StringComparison.Ordinal) ? key[ListenerPrefix.Length..] : null;

    /// <summary>The pidfd of the process that counts as the worker.</summary>
    public static string Process(string service, int worker) => Worker(service, worker, "process");

    /// <summary>The pidfd of a worker's spawned process, where another one counts.</summary>
    public static string First(string service, int worker) => Worker(service, worker, "first");

    /// <summary>A worker's notify socket.</summary>
    public static string Notify(string service, int worker) => Worker(service, worker, "notify");

    /// <summary>The read end of a worker's standard output.</summary>
    public static string Output(string service, int worker) => Worker(service, worker, "output");

    /// <summary>The read end of a worker's standard error.</summary>
    public static string Error(string service, int worker) => Worker(service, worker, "error");

    /// <summary>A descriptor that workers of a slot have stored, by its number among the slot's.</summary>
    public static string Stored(string service, int slot, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"service/{service}/stored/{slot}/{index}");

    /// <summary>A running hook's pidfd, or the read end of its output or error.</summary>
    public static string Hook(string service, string what) => $"service/{service}/hook/{what}";

    private static string Worker(string service, int worker, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"service/{service}/{worker}/{what}");
}
