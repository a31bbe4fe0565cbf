using System.Globalization;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>Hands over by SCM_RIGHTS, and knows the obstacles on this host.</summary>
/// <param name="services">The services.</param>
/// <param name="snapshots">The state.</param>
/// <param name="flush">Writes the log and the workers' output.</param>
internal sealed class TakeoverSystem(ServiceTable services, StateSnapshots snapshots, Action flush) : ITakeoverSystem
{
    /// <inheritdoc/>
    public string? Objection(BrokerPeer peer) =>
        services.FirstOrDefault(runner => runner.RunsHook) is { } busy
            ? $"a hook of service {busy.Name} is running: try again when it has exited"
        : Processes.CurrentPid == 1
            ? "the running daemon is pid 1 of its container, and the container ends when pid 1 exits: replace the executable and run "
                + "\"listenctl upgrade\""
        : Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 }
            ? "a service manager started the running daemon, and its exit would end the service: run \"listenctl upgrade\", or restart "
                + "the unit"
        : peer.Uid != Processes.EffectiveUid ? string.Create(
            CultureInfo.InvariantCulture,
            $"the running daemon has uid {Processes.EffectiveUid}, the new daemon has uid {peer.Uid}: start it as the same user")
        : peer.Pid <= 0 || !IsOfSameNamespace(peer.Pid) ? "the new daemon is in another PID namespace: start it in the same container"
        : null;

    /// <inheritdoc/>
    public string? Send(DescriptorHandle link)
    {
        // Before the successor writes, so the lines of a worker stay in order.
        flush();
        var descriptors = new OutgoingDescriptors();
        var manifest = snapshots.Whole(descriptors);
        using var memory = Succession.SealedMemory("listend-state", stream => snapshots.Write(stream, manifest), out var unwritten);
        using var self = Processes.OpenPidfd(Processes.CurrentPid, out var unopened);
        if (memory is null || self is null)
        {
            return $"cannot write the state: {(memory is null ? unwritten : unopened.ToString())}";
        }

        descriptors.Add(DescriptorKey.State, memory);
        descriptors.Add(DescriptorKey.Daemon, self);
        return SuccessionLink.Send(
            link, descriptors.All.Where(pair => DescriptorKey.IsHandedOver(pair.Key)).ToDictionary(StringComparer.Ordinal),
            LiveTakeover.StepTimeout);
    }

    /// <inheritdoc/>
    public string? AwaitCommit(DescriptorHandle link) => SuccessionLink.AwaitCommit(link, LiveTakeover.StepTimeout);

    /// <inheritdoc/>
    public void Exit()
    {
        flush();
        Processes.ExitNow(0);
    }

    /// <summary>Whether the process is in the PID namespace of this one; true if that cannot be seen.</summary>
    private static bool IsOfSameNamespace(int pid) =>
        OpenFiles.ReadLink(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/pid")) is not { } there
            || there == OpenFiles.ReadLink("/proc/self/ns/pid");
}
