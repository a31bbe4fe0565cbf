using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>socket() for a listener, recorded. It does not use the descriptors that the daemon reserves for itself.</summary>
internal sealed class SocketCreator
{
    private ulong _limit;

    /// <summary>Makes the socket of a shard, which replaces the present one; the caller closes that one.</summary>
    public SystemCallFailure? Create(ListenerHandle handle, int shard, HistoryRecorder history, CreateStep step)
    {
        var socket = NamespaceCall.Open(step, out var failure);
        if (socket is not null && !MayUse(socket))
        {
            socket.Dispose();
            failure = new SystemCallError("socket", EMFILE).With(string.Create(
                CultureInfo.InvariantCulture,
                $"{ListenerSockets.Describe(step)}: the last {DescriptorReserve.FromListeners} of {_limit} descriptors ")
                + "are reserved for the daemon and its workers");
        }
        else if (socket is not null)
        {
            handle.Put(shard, socket);
        }

        history.Add(
            HandlePhase.Create, "socket", errno: failure?.Name, verdict: failure is null ? Verdict.Exact : Verdict.Refused,
            note: $"{ListenerSockets.Describe(step)}; close-on-exec{(step.NonBlocking ? ", O_NONBLOCK" : "")}"
                + (step.NetworkNamespace is { } path ? $", network namespace {path}" : ""));
        return failure;
    }

    /// <summary>Reads the limit only if it seems to be reached: it may have been raised in the meantime.</summary>
    private bool MayUse(DescriptorHandle socket)
    {
        var needed = (ulong)socket.Number + DescriptorReserve.FromListeners;
        return needed < _limit || needed < (_limit = Processes.DescriptorLimit());
    }
}
