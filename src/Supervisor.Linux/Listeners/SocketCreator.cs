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
        if (socket is not null)
        {
            failure = Put(handle, shard, socket, "socket", ListenerSockets.Describe(step));
        }

        history.Add(
            HandlePhase.Create, "socket", errno: failure?.Name, verdict: failure is null ? Verdict.Exact : Verdict.Refused,
            note: $"{ListenerSockets.Describe(step)}; close-on-exec{(step.NonBlocking ? ", O_NONBLOCK" : "")}"
                + (step.NetworkNamespace is { } path ? $", network namespace {path}" : ""));
        return failure;
    }

    /// <summary>Gives the descriptor to the handle, or closes it if the daemon's reserve is reached.</summary>
    public SystemCallFailure? Put(ListenerHandle handle, int shard, DescriptorHandle descriptor, string call, string what)
    {
        if (MayUse(descriptor))
        {
            handle.Put(shard, descriptor);
            return null;
        }

        descriptor.Dispose();
        return new SystemCallError(call, EMFILE).With(string.Create(
            CultureInfo.InvariantCulture, $"{what}: the last {DescriptorReserve.FromListeners} of {_limit} descriptors ")
            + "are reserved for the daemon and its workers");
    }

    /// <summary>Reads the limit only if it seems to be reached: it may have been raised in the meantime.</summary>
    private bool MayUse(DescriptorHandle socket)
    {
        var needed = (ulong)socket.Number + DescriptorReserve.FromListeners;
        return needed < _limit || needed < (_limit = Processes.DescriptorLimit());
    }
}
