using Serilog;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Linux;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Performance;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>The successor's side of a take-over from a running daemon.</summary>
internal static class TakenOverState
{
    /// <summary>
    /// Takes over from the daemon whose broker listens at <paramref name="brokerSocket"/>, and waits until that daemon has exited. Null
    /// with the reason if that daemon continues, or has exited without a hand-over.
    /// </summary>
    public static PreviousDaemonState? Take(string brokerSocket, ILogger log, out string? refusal)
    {
        using var client = BrokerClient.Connect(brokerSocket, LiveTakeover.StepTimeout, out var unconnected);
        if (client is null)
        {
            refusal = unconnected.ToString();
            return null;
        }

        return Take(client.Socket, log, out refusal);
    }

    /// <summary>Takes over on a connection to the daemon's broker.</summary>
    internal static PreviousDaemonState? Take(DescriptorHandle link, ILogger log, out string? refusal)
    {
        // Twice the time: the other daemon finishes the answers in progress before it sends.
        if (SuccessionLink.Receive(link, LiveTakeover.StepTimeout * 2, out refusal) is not { } descriptors)
        {
            return null;
        }

        using var daemon = descriptors.Take(DescriptorKey.Daemon);
        refusal = Read(descriptors, daemon is not null, out var manifest, out var unknown)
            ?? (SuccessionLink.Commit(link) ? null : "the other daemon has exited, or no longer waits for the commit");
        if (refusal is not null)
        {
            descriptors.Dispose();
            return null;
        }

        // What the other daemon does not hand over, for example its metrics address, is free when that daemon has exited.
        if (!Polling.Await(daemon!, LiveTakeover.StepTimeout))
        {
            log.Kind(MessageIds.PredecessorRemains).Warning("listend (pid {Pid}) has handed over and has not exited", manifest!.Pid);
        }

        return new PreviousDaemonState(SuccessionWay.TookOver, manifest!, unknown!, descriptors);
    }

    /// <summary>Reads the state that came with the descriptors; null, or why this process cannot continue with them.</summary>
    private static string? Read(IncomingDescriptors descriptors, bool hasDaemon, out DaemonManifest? manifest, out UnknownFields? unknown)
    {
        (manifest, unknown) = (null, null);
        using var memory = descriptors.Take(DescriptorKey.State);
        if (memory is null || !hasDaemon || !descriptors.Has(DescriptorKey.Lock))
        {
            return "the other daemon did not send all of its state";
        }

        if (Succession.ReadSealed(memory, out var unread) is not { } bytes)
        {
            return $"cannot read the state of the other daemon{(unread is { } why ? $": {why}" : "")}";
        }

        CollectionPause.BeginForState(bytes.Length);
        if (!ManifestFormat.TryRead(bytes, out manifest, out unknown, out var misread))
        {
            return misread;
        }

        var lost = manifest.Listeners.FirstOrDefault(
            entry => entry.Inode != 0 && !descriptors.Has(DescriptorKey.Listener(entry.Spec.Name)));
        return lost is null ? null : $"the other daemon did not send listener \"{lost.Spec.Name}\"";
    }
}
