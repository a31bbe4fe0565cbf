using Serilog;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Linux;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Recovers from a previous daemon that exited without a word, whose lock on the runtime directory is ours: its state from the
/// state file or systemd's store, its descriptors from the same store, from its descriptor holder, or out of its workers.
/// </summary>
internal static class CrashRecovery
{
    /// <summary>
    /// The state; null where there is none to recover. <paramref name="refusal"/> tells where another user may have written the
    /// state: who writes it decides what root executes.
    /// </summary>
    /// <param name="paths">The runtime directory.</param>
    /// <param name="stored">What systemd's store gave this process; null if it gave nothing. Taken over if there is a state.</param>
    /// <param name="log">The log.</param>
    /// <param name="refusal">Why the daemon must not start.</param>
    public static PreviousDaemonState? Recover(RuntimePaths paths, IncomingDescriptors? stored, ILogger log, out string? refusal)
    {
        var found = StateFile.Read(paths.StateFile, stored?.Peek(DescriptorKey.State));
        refusal = found.Refusal;
        if (found.Error is { } error)
        {
            log.Kind(MessageIds.StateUnusable).Error(
                "{File}: cannot use the state of the previous daemon, starting without it: {Reason}", paths.StateFile, error);
        }

        // A state of another boot speaks of nothing that is left.
        if (found.Manifest is not { } manifest || manifest.BootId != StateSnapshots.BootId)
        {
            // Who opens the listeners takes the descriptors as given ones.
            stored?.Forget();
            return null;
        }

        var call = stored is null ? "recvmsg" : "execve";
        stored?.Take(DescriptorKey.State)?.Dispose();
        var descriptors = stored ?? new IncomingDescriptors();
        FdHolder.TakeFrom(paths.KeeperSocket, descriptors);
        TakeFromWorkers(manifest, paths.BrokerSocket, descriptors);
        return new PreviousDaemonState(SuccessionWay.Recovered, manifest, found.Unknown!, descriptors) { Call = call };
    }

    /// <summary>Takes the listeners' sockets that are missing out of the workers that hold them.</summary>
    private static void TakeFromWorkers(DaemonManifest manifest, string brokerSocket, IncomingDescriptors descriptors)
    {
        var missing = manifest.Listeners.Where(entry => entry.Inode != 0 && !IsIn(descriptors, entry)).ToArray();
        if (missing.Length == 0)
        {
            return;
        }

        var taken = new WorkerRecovery(manifest, brokerSocket).TakeSockets(missing.Select(entry => entry.Inode).ToHashSet());
        foreach (var entry in missing)
        {
            if (!taken.TryGetValue(entry.Inode, out var descriptor))
            {
                continue;
            }

            if (descriptors.Take(DescriptorKey.Listener(entry.Spec.Name)) is { } successor)
            {
                // A socket that was to replace it, which the state did not name yet, so no worker has it. It leaves its
                // SO_REUSEPORT group now, and not when its last holder closes it.
                Sockets.Shutdown(successor);
                successor.Dispose();
            }

            descriptors.Add(DescriptorKey.Listener(entry.Spec.Name), descriptor);
        }
    }

    /// <summary>Whether the descriptor under the listener's name is the socket that the state names.</summary>
    private static bool IsIn(IncomingDescriptors descriptors, ListenerEntry entry) =>
        descriptors.Peek(DescriptorKey.Listener(entry.Spec.Name)) is { } held
            && (Files.GetStatus(held, out var status) is not null || status.Inode == entry.Inode);
}
