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
/// Recovers from a previous daemon that exited without a hand-over. The state comes from the state file or from systemd's store.
/// The descriptors come from the same store, from the descriptor holder, or from the workers.
/// </summary>
internal static class CrashRecovery
{
    /// <summary>
    /// The state; null if there is none to recover. <paramref name="refusal"/> is set if another user may have written the state,
    /// because the state decides what root executes.
    /// </summary>
    /// <param name="paths">The runtime directory, whose lock this process holds.</param>
    /// <param name="stored">The descriptors from systemd's store; null without any. The result owns them, if there is one.</param>
    /// <param name="log">The log.</param>
    /// <param name="refusal">Why the daemon must not start.</param>
    public static PreviousDaemonState? Recover(RuntimePaths paths, IncomingDescriptors? stored, ILogger log, out string? refusal)
    {
        var found = StateFile.Read(paths.StateFile, stored?.Peek(DescriptorKey.State), stored?.Peek(DescriptorKey.Journal));
        refusal = found.Refusal;
        if (found.Error is { } error)
        {
            log.Kind(MessageIds.StateUnusable).Error(
                "{File}: cannot use the state of the previous daemon, starting without it: {Reason}", paths.StateFile, error);
        }

        // The processes and sockets of another boot do not exist any more.
        if (found.Manifest is not { } manifest || manifest.BootId != StateSnapshots.BootId)
        {
            // The descriptors stay open: a fresh start adopts them by LISTEN_FDS.
            stored?.Forget();
            return null;
        }

        var call = stored is null ? "recvmsg" : "execve";
        stored?.Take(DescriptorKey.State)?.Dispose();
        stored?.Take(DescriptorKey.Journal)?.Dispose();
        var descriptors = stored ?? new IncomingDescriptors();
        FdHolder.TakeFrom(paths.KeeperSocket, descriptors);
        var fromKeeper = stored is not null ? null : descriptors.Remaining.Select(key => descriptors.Peek(key)!)
            .ToHashSet<DescriptorHandle>(ReferenceEqualityComparer.Instance);
        TakeFromWorkers(manifest, paths.BrokerSocket, descriptors);
        return new PreviousDaemonState(SuccessionWay.Recovered, manifest, found.Unknown!, descriptors, fromKeeper) { Call = call };
    }

    /// <summary>Takes the sockets of listeners that are missing from the workers that hold them.</summary>
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
                // A reload had made this socket to replace the other one. The state did not name it yet, so no worker has it.
                // shutdown() removes it from its SO_REUSEPORT group at once, even if another process still holds it.
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
