using System.Globalization;
using Serilog;
using Supervisor.Config;
using Supervisor.Config.Settings;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.State;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Paths;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>What a predecessor of this daemon has left: its state, and such of its descriptors as could be had.</summary>
internal sealed class PreviousDaemonState : IDisposable
{
    /// <summary>The variable that names the descriptor of the state, after an execve() by a predecessor in the same process.</summary>
    public const string ResumeVariable = "LISTEND_RESUME";

    /// <summary>10,000 listeners with their histories have some 60 MB.</summary>
    private const int MaxStateBytes = 1 << 30;

    private PreviousDaemonState(DaemonManifest manifest, UnknownFields unknown, IncomingDescriptors descriptors)
    {
        Manifest = manifest;
        Unknown = unknown;
        Descriptors = descriptors;
        Keys = [.. descriptors.Remaining.Where(DescriptorKey.OutlivesProcess)];
    }

    /// <summary>The keys of what it had had held.</summary>
    public IReadOnlyList<string> Keys { get; }

    /// <summary>The state.</summary>
    public DaemonManifest Manifest { get; }

    /// <summary>What a newer predecessor knew and this version does not.</summary>
    public UnknownFields Unknown { get; }

    /// <summary>The descriptors.</summary>
    public IncomingDescriptors Descriptors { get; }

    /// <summary>Where listeners come from, for their histories.</summary>
    public HandleOrigin Origin => IsSameProcess ? HandleOrigin.InheritedUpgrade : HandleOrigin.Recovered;

    /// <summary>The system call by which they come.</summary>
    public string Call { get; private init; } = "execve";

    /// <summary>Whether the predecessor was this very process.</summary>
    public bool IsSameProcess { get; private init; } = true;

    /// <summary>Whether it lived, and has left for this one.</summary>
    public bool HasYielded { get; private init; }

    /// <summary>The kind of the message that says so: how this daemon came to continue.</summary>
    public string Kind => IsSameProcess ? MessageIds.DaemonReExecuted : HasYielded ? MessageIds.DaemonTookOver : MessageIds.DaemonRecovered;

    /// <summary>What is written into each listener's history.</summary>
    public string Note => IsSameProcess ? $"listend {Manifest.Version} (pid {Manifest.Pid}) became listend {DaemonProcess.Version}: upgrade {Upgrades}"
        : HasYielded ? $"listend {DaemonProcess.Version} (pid {Processes.CurrentPid}) took over from listend {Manifest.Version} (pid {Manifest.Pid})"
        : $"listend {DaemonProcess.Version} (pid {Processes.CurrentPid}) goes on for listend {Manifest.Version} (pid {Manifest.Pid}), which has ended";

    /// <summary>How often the daemon has replaced itself, this time included.</summary>
    public int Upgrades => IsSameProcess ? Manifest.Upgrades + 1 : Manifest.Upgrades;

    /// <summary>The configuration that was in force, which goes on to be.</summary>
    public ListendConfig Config => new()
    {
        Daemon = new DaemonConfig { RuntimeDirectory = Manifest.Config.RuntimeDirectory, Metrics = Manifest.Config.Metrics, MetricsHosts = Manifest.Config.MetricsHosts, TrustedOwners = Manifest.Config.TrustedOwners },
        Listeners = Manifest.Config.Listeners,
        Services = Manifest.Config.Services,
    };

    /// <summary>Whether what is asked for now is not what was in force.</summary>
    public bool HasOtherConfig(ListendConfig now) => IsOther(Manifest.Config, now);

    /// <summary>The same of a configuration that was written down.</summary>
    public static bool IsOther(ConfigEntry before, ListendConfig now) =>
        !ManifestFormat.AreSame(before with { File = null, RuntimeDirectory = null }, new ConfigEntry { Metrics = now.Daemon.Metrics, MetricsHosts = now.Daemon.MetricsHosts, TrustedOwners = now.Daemon.TrustedOwners, Listeners = now.Listeners, Services = now.Services });

    /// <summary>Whether this process goes on as another one's successor by execve().</summary>
    public static bool IsResuming => Environment.GetEnvironmentVariable(ResumeVariable) is not null;

    /// <summary>
    /// The predecessor that executed this program; null where there is none, or with an error where its state is no good,
    /// which it had been asked about before.
    /// </summary>
    public static PreviousDaemonState? FromExecution(out string? error)
    {
        error = null;
        if (Environment.GetEnvironmentVariable(ResumeVariable) is not { } text)
        {
            return null;
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            error = $"{ResumeVariable}=\"{text}\" is no descriptor";
            return null;
        }

        using var memory = new DescriptorHandle(number);
        if (Succession.ReadSealed(memory, out var refused) is not { } bytes)
        {
            memory.SetHandleAsInvalid();
            error = $"{ResumeVariable}={number} is no sealed state{(refused is { } why ? $": {why}" : "")}";
            return null;
        }

        if (!ManifestFormat.TryRead(bytes, out var manifest, out var unknown, out error))
        {
            return null;
        }

        if (manifest.Pid != Processes.CurrentPid)
        {
            error = $"{ResumeVariable}={number} is the state of process {manifest.Pid}, not of this one ({Processes.CurrentPid})";
            return null;
        }

        var numbers = manifest.Descriptors ?? System.Collections.Immutable.ImmutableSortedDictionary<string, int>.Empty;
        StrayDescriptors.Close(new HashSet<int>(numbers.Values) { number });
        return new PreviousDaemonState(manifest, unknown, IncomingDescriptors.FromNumbers(numbers));
    }

    /// <summary>
    /// What a living daemon says of itself in the runtime directory, and a dead one has left; null where there is nothing
    /// that can be read. It may be changing.
    /// </summary>
    public static DaemonManifest? Peek(RuntimePaths paths) => ReadManifest(paths, null, null, out _, out _);

    /// <summary>
    /// A daemon that lives, and has left for this process, which is in charge from now on. Null with the reason where that
    /// one goes on, or has ended meanwhile without a word.
    /// </summary>
    public static PreviousDaemonState? FromLiving(RuntimePaths paths, ILogger log, out string? refusal)
    {
        using var client = BrokerClient.Connect(paths.BrokerSocket, Handover.Patience, out var unconnected);
        if (client is null)
        {
            refusal = unconnected.ToString();
            return null;
        }

        // It lets answers be given that are under way.
        if (SuccessionLink.Receive(client.Socket, Handover.Patience * 2, out refusal) is not { } descriptors)
        {
            return null;
        }

        DaemonManifest? manifest = null;
        UnknownFields? unknown = null;
        using var memory = descriptors.Take(DescriptorKey.State);
        using var daemon = descriptors.Take(DescriptorKey.Daemon);
        refusal = memory is null || daemon is null || !descriptors.Has(DescriptorKey.Lock) ? "it did not send all of its state"
            : Succession.ReadSealed(memory, out var unread) is not { } bytes ? $"its state cannot be read{(unread is { } why ? $": {why}" : "")}"
            : !ManifestFormat.TryRead(bytes, out manifest, out unknown, out var misread) ? misread
            : manifest.Listeners.FirstOrDefault(entry => entry.Inode != 0 && !descriptors.Has(DescriptorKey.Listener(entry.Spec.Name))) is { } lost ? $"it did not send listener \"{lost.Spec.Name}\""
            : !SuccessionLink.Commit(client.Socket) ? "it has ended, or does not wait any more"
            : null;
        if (refusal is not null)
        {
            descriptors.Dispose();
            return null;
        }

        // What it holds besides (its metrics address, say) is free when it has ended.
        if (!Polling.Await(daemon!, Handover.Patience))
        {
            log.Kind(MessageIds.PredecessorRemains).Warning("listend (pid {Pid}) has handed over and is still there", manifest!.Pid);
        }

        return new PreviousDaemonState(manifest!, unknown!, descriptors) { Call = "recvmsg", IsSameProcess = false, HasYielded = true };
    }

    /// <summary>
    /// A predecessor that ended without a word, by what it has left in the runtime directory, whose lock is ours: its state,
    /// and its descriptors from the keeper, from <paramref name="stored"/>, or out of its workers. Null where there is none, with
    /// <paramref name="refusal"/> where somebody else may have written the state: whoever writes it decides what root executes.
    /// </summary>
    public static PreviousDaemonState? FromRuntimeDirectory(RuntimePaths paths, IncomingDescriptors? stored, ILogger log, out string? refusal)
    {
        if (ReadManifest(paths, stored, log, out var unknown, out refusal) is not { } manifest || manifest.BootId != DaemonState.BootId)
        {
            // Whoever opens the listeners takes the descriptors as given ones.
            stored?.Forget();
            return null;
        }

        stored?.Take(DescriptorKey.State)?.Dispose();
        var isStored = stored is not null;
        stored ??= new IncomingDescriptors();
        FdHolder.TakeFrom(paths.KeeperSocket, stored);
        var wanted = manifest.Listeners.Where(entry => entry.Inode != 0 && !IsIn(stored, entry)).ToArray();
        var taken = wanted.Length == 0 ? new Dictionary<ulong, DescriptorHandle>()
            : new WorkerRecovery(manifest, paths.BrokerSocket).TakeSockets(wanted.Select(entry => entry.Inode).ToHashSet());
        foreach (var entry in wanted)
        {
            if (taken.TryGetValue(entry.Inode, out var descriptor))
            {
                if (stored.Take(DescriptorKey.Listener(entry.Spec.Name)) is { } untold)
                {
                    // One that was to replace it: the state did not say so yet, so nobody was let into it. It leaves its group
                    // at once, and not when its last holder does.
                    Sockets.Shutdown(untold);
                    untold.Dispose();
                }

                stored.Add(DescriptorKey.Listener(entry.Spec.Name), descriptor);
            }
        }

        return new PreviousDaemonState(manifest, unknown!, stored) { Call = isStored ? "execve" : "recvmsg", IsSameProcess = false };
    }

    /// <inheritdoc/>
    public void Dispose() => Descriptors.Dispose();

    /// <summary>Whether it is the listener's very socket that is kept under its name.</summary>
    private static bool IsIn(IncomingDescriptors stored, ListenerEntry entry) =>
        stored.Peek(DescriptorKey.Listener(entry.Spec.Name)) is { } kept && (Files.GetStatus(kept, out var status) is not null || status.Inode == entry.Inode);

    /// <summary>The state that was left, in the file or else in systemd's store; null where there is none that is of use.</summary>
    private static DaemonManifest? ReadManifest(RuntimePaths paths, IncomingDescriptors? stored, ILogger? log, out UnknownFields? unknown, out string? refusal)
    {
        unknown = null;
        var bytes = TrustedFile.ReadOwn(paths.StateFile, MaxStateBytes, PathTrust.InForce, out var refused);
        refusal = refused is null or { Error: not null } ? null : $"{paths.StateFile}: state rejected: {refused}";
        if (refusal is not null)
        {
            return null;
        }

        if (bytes is null)
        {
            bytes = stored?.Peek(DescriptorKey.State) is { } memory ? Succession.ReadSealed(memory, out _) : null;
        }

        if (bytes is null)
        {
            return null;
        }

        if (!ManifestFormat.TryRead(bytes, out var manifest, out unknown, out var error))
        {
            log?.Kind(MessageIds.StateUnusable).Error("{File}: what the last daemon has left cannot be used, so this one begins anew: {Reason}", paths.StateFile, error);
            return null;
        }

        return manifest;
    }
}
