using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Core.Workers;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>The daemon's listeners and services as the broker sees them.</summary>
internal sealed class BrokerTable(
    ListenerTable listeners, ServiceTable services, EventLog events, ChangeRequests requests, ILogger log) : IBrokerTable
{
    /// <summary>Descriptors that may be held for those who put them.</summary>
    public const int MaxGiven = 1024;

    /// <summary>
    /// A descriptor was put: its handle, and whether it is new in the table. Whatever has to be saved is saved before the client is
    /// answered and closes its own.
    /// </summary>
    public event Action<ListenerHandle, bool>? Added;

    /// <summary>A descriptor was dropped.</summary>
    public event Action? Dropped;

    /// <summary>Take-overs by another process; null until the daemon serves.</summary>
    public LiveTakeover? Takeovers { get; set; }

    /// <inheritdoc/>
    public IReadOnlyList<ListenerHandle> Handles => listeners.Handles;

    /// <inheritdoc/>
    public ListenerHandle? Find(ReadOnlySpan<char> name) => listeners.Find(name);

    /// <inheritdoc/>
    public BrokerService? ServiceOf(ProcessLineage process, string? token)
    {
        // Kernel facts come first: a token counts only for a process without such facts.
        var owner = services.FirstOrDefault(runner => runner.Workers.Facts.Any(worker => Membership.IsMember(worker, process)))
            ?? (token is null ? null : services.FirstOrDefault(
                runner => runner.Workers.Facts.Any(worker => Membership.IsMemberByToken(worker, process, token))));
        return owner is null ? null : new BrokerService(owner.Name, owner.State.Spec.Listeners);
    }

    /// <inheritdoc/>
    public bool IsWorkerUser(uint uid) => services.Any(runner => runner.Workers.RunAs(uid));

    /// <inheritdoc/>
    public BrokerError? Put(string name, DescriptorHandle descriptor, Requester by, string note)
    {
        var awaited = listeners.Find(name);
        if (awaited is { IsAwaited: false } held)
        {
            if (!held.IsGiven)
            {
                return Configured(name, "put");
            }

            if (held.Descriptor is not { } former || !Descriptors.AreSame(former, descriptor))
            {
                return new BrokerError(
                    BrokerErrorCode.Invalid, $"\"{name}\" already holds another descriptor: drop it first, or choose another name");
            }

            // The same open file once more is what is there already.
            descriptor.Dispose();
            return null;
        }

        if (listeners.Handles.Count(handle => handle.IsGiven) >= MaxGiven)
        {
            return new BrokerError(BrokerErrorCode.Busy, $"{MaxGiven} descriptors are held, which is the limit: drop one first");
        }

        requests.OfListener(name, "put", by);
        var giver = new HistoryActor(by.Pid ?? 0, by.Command ?? "?");
        var handle = listeners.Hold(name, descriptor, HandleOrigin.Given, giver, note);
        Added?.Invoke(handle, awaited is null);
        return null;
    }

    /// <summary>The end of an error about an unknown name: the given ones.</summary>
    private string Given()
    {
        var names = string.Join(
            ", ", listeners.Handles.Where(handle => handle is { IsGiven: true, IsAwaited: false }).Select(handle => handle.Name));
        return names.Length == 0 ? "; listenctl put has given none" : $"; held: {names}";
    }

    /// <inheritdoc/>
    public BrokerError? Drop(string name, Requester by)
    {
        if (listeners.Find(name) is not { IsAwaited: false } handle)
        {
            return new BrokerError(BrokerErrorCode.NotFound, $"no descriptor is held as \"{name}\"{Given()}");
        }

        if (!handle.IsGiven)
        {
            return Configured(name, "dropped");
        }

        if (services.FirstOrDefault(runner => runner.Generations.Uses(handle)) is { } user)
        {
            return new BrokerError(
                BrokerErrorCode.Denied,
                $"service \"{user.Name}\" uses \"{name}\": remove it from the service's listeners and reload first");
        }

        requests.OfListener(name, "drop", by);
        listeners.Release(handle);
        Dropped?.Invoke();
        events.Daemon("listener-dropped", $"listener {name} was dropped");
        log.Kind(MessageIds.ListenerDropped).Listener(name).Information("listener {Listener}: dropped", name);
        return null;
    }

    /// <inheritdoc/>
    public BrokerError? Succeed(BrokerPeer peer, Func<DescriptorHandle> release) =>
        Takeovers is { } takeovers
            ? takeovers.Begin(peer, release)
            : new BrokerError(BrokerErrorCode.Denied, "listend is starting: try again");

    /// <inheritdoc/>
    public void Denied(string what, string missing, string? listener, Requester by) =>
        requests.Denied(what, service: null, missing, by, listener);

    private static BrokerError Configured(string name, string what) =>
        new(BrokerErrorCode.Denied, $"listener \"{name}\" is configured and cannot be {what}: change the configuration");
}
