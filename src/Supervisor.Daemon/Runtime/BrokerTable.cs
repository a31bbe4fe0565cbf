using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Core.Workers;
using Supervisor.Linux;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>The daemon's listeners and services as the broker sees them.</summary>
internal sealed class BrokerTable(DaemonProcess daemon, ILogger log) : IBrokerTable
{
    /// <summary>Descriptors that may be held for those who put them.</summary>
    public const int MaxGiven = 1024;

    /// <inheritdoc/>
    public IReadOnlyList<ListenerHandle> Handles => daemon.Listeners.Handles;

    /// <inheritdoc/>
    public ListenerHandle? Find(ReadOnlySpan<char> name) => daemon.Listeners.Find(name);

    /// <inheritdoc/>
    public BrokerService? ServiceOf(ProcessLineage process, string? token)
    {
        // What the kernel says comes first: a token only speaks for a process that it says nothing of.
        var owner = daemon.Services.FirstOrDefault(runner => runner.Facts.Any(worker => Membership.IsMember(worker, process)))
            ?? (token is null ? null : daemon.Services.FirstOrDefault(runner => runner.Facts.Any(worker => Membership.IsMemberByToken(worker, process, token))));
        return owner is null ? null : new BrokerService(owner.Name, owner.State.Spec.Listeners);
    }

    /// <inheritdoc/>
    public bool IsWorkerUser(uint uid) => daemon.Services.Any(runner => runner.RunsAs(uid));

    /// <inheritdoc/>
    public BrokerError? Put(string name, DescriptorHandle descriptor, HistoryActor giver, string note)
    {
        var awaited = daemon.Listeners.Find(name);
        if (awaited is { IsAwaited: false } held)
        {
            if (!held.IsGiven)
            {
                return Configured(name, "put");
            }

            if (held.Descriptor is not { } former || !Files.AreSame(former, descriptor))
            {
                return new BrokerError(BrokerErrorCode.Invalid, $"another descriptor is held as \"{name}\" already: drop it first, or choose another name");
            }

            // The same open file once more is what is there already.
            descriptor.Dispose();
            return null;
        }

        if (daemon.Listeners.Handles.Count(handle => handle.IsGiven) >= MaxGiven)
        {
            return new BrokerError(BrokerErrorCode.Busy, $"{MaxGiven} descriptors are held already, which is as many as may be: drop one first");
        }

        var handle = daemon.Listeners.Hold(name, descriptor, HandleOrigin.Given, giver, note);
        if (awaited is null)
        {
            daemon.Events.Watch(handle);
            daemon.StateCheckpointer.Watch(handle);
            daemon.Drift.RecordTakers(handle);
        }

        // Before the answer: who has been told closes his own.
        daemon.StateCheckpointer.Mark();
        daemon.StateCheckpointer.Save();
        daemon.StartServicesOf(handle);
        return null;
    }

    /// <inheritdoc/>
    public BrokerError? Drop(string name)
    {
        if (daemon.Listeners.Find(name) is not { IsAwaited: false } handle)
        {
            return new BrokerError(BrokerErrorCode.NotFound, $"nothing is held as \"{name}\"");
        }

        if (!handle.IsGiven)
        {
            return Configured(name, "dropped");
        }

        if (daemon.Services.FirstOrDefault(runner => runner.Uses(handle)) is { } user)
        {
            return new BrokerError(BrokerErrorCode.Denied, $"service \"{user.Name}\" lists \"{name}\": take it out of the service's listeners first, and reload");
        }

        daemon.Listeners.Release(handle);
        daemon.StateCheckpointer.Mark();
        daemon.StateCheckpointer.Save();
        daemon.Events.Daemon("listener-dropped", $"listener {name} was dropped");
        log.Kind(MessageIds.ListenerDropped).Listener(name).Information("listener {Listener}: dropped", name);
        return null;
    }

    /// <inheritdoc/>
    public BrokerError? Succeed(BrokerPeer peer, Func<DescriptorHandle> release) => daemon.Handover.Begin(peer, release);

    private static BrokerError Configured(string name, string what) =>
        new(BrokerErrorCode.Denied, $"listener \"{name}\" is configured, and what is configured cannot be {what}: change the configuration instead");
}
