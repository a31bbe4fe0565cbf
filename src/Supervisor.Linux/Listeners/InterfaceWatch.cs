using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Listeners that depend on an interface: by <c>bind.device</c>, the scope of a link-local address, or a multicast group. The
/// kernel keeps the interface's number in the socket. If the interface is deleted and made again, it has another number, and
/// nothing arrives at the socket any more. rtnetlink(7) announces both, and the socket then gets the new number. Each network
/// namespace has a netlink socket, which is open only while there is such a listener in it. Lives on the loop.
/// </summary>
public sealed class InterfaceWatch : IDisposable
{
    /// <summary>SO_BINDTOIFINDEX, asm-generic/socket.h; Linux 5.0.</summary>
    private const int BoundInterface = 62;

    private readonly EventLoop _loop;
    private readonly DriftWatch _drift;
    private readonly Func<IEnumerable<ListenerHandle>> _handles;
    private readonly HistoryActor _self = new(Processes.CurrentPid, "listend");
    private readonly byte[] _buffer = new byte[16 * 1024];

    /// <summary>By the file of the namespace; empty: the daemon's own.</summary>
    private readonly Dictionary<string, DescriptorHandle> _events = [];

    /// <summary>A watch of these listeners.</summary>
    public InterfaceWatch(EventLoop loop, DriftWatch drift, Func<IEnumerable<ListenerHandle>> handles)
    {
        _loop = loop;
        _drift = drift;
        _handles = handles;
    }

    /// <summary>The listeners may have changed: begins or ends to listen to the kernel, and checks them.</summary>
    public void Update()
    {
        var dependent = _handles().Where(DependsOnInterface).ToLookup(Place);
        foreach (var (place, events) in _events.ToArray())
        {
            // The file of a namespace can lead to another one by now.
            if (!dependent[place].Any(handle => handle.Descriptor is not { } socket || !NamespaceCall.AreApart(events, socket)))
            {
                Close(place);
            }
        }

        foreach (var place in dependent.Select(group => group.Key).Where(place => !_events.ContainsKey(place)))
        {
            Open(place);
        }

        CheckAll();
    }

    /// <inheritdoc/>
    public void Dispose() => _events.Keys.ToList().ForEach(Close);

    private void Open(string place)
    {
        if (NamespaceCall.Subscribe(place.Length == 0 ? null : place, NETLINK_ROUTE, NetlinkEvents.InterfacesAndAddresses) is { } events)
        {
            _events[place] = events;
            _loop.Watch(events, () => OnEvents(events));
        }
    }

    private void Close(string place)
    {
        _events.Remove(place, out var events);
        _loop.Unwatch(events!);
        events!.Dispose();
    }

    private static string Place(ListenerHandle handle) => handle.Spec.NetworkNamespace ?? "";

    private static bool DependsOnInterface(ListenerHandle handle) =>
        !handle.IsGiven && (Interface(handle) is not null || !handle.Spec.Datagram.Multicast.IsEmpty);

    private static string? Interface(ListenerHandle handle) => handle.Spec.Bind.Device ?? handle.Spec.Address.Scope;

    private void OnEvents(DescriptorHandle events)
    {
        NetlinkEvents.Drain(events, _buffer);
        CheckAll();
    }

    private void CheckAll()
    {
        foreach (var handle in _handles().Where(handle => handle.Descriptor is not null && DependsOnInterface(handle)).ToArray())
        {
            Check(handle);
        }
    }

    private void Check(ListenerHandle handle)
    {
        var names = handle.Spec.Datagram.Multicast.Select(membership => membership.Interface).Append(Interface(handle)).OfType<string>();
        if (names.FirstOrDefault(name => !Exists(handle.Sockets[0].Descriptor, name)) is { } gone)
        {
            SetGone(handle, gone);
            return;
        }

        if (Interface(handle) is { } device && NetworkInterfaces.Index(handle.Sockets[0].Descriptor, device) is { } index
            && !TryBindAgain(handle, device, index))
        {
            _drift.Remake(handle, SocketChange.Interface);
        }

        if (handle.Descriptor is not null)
        {
            foreach (var membership in handle.Spec.Datagram.Multicast)
            {
                MulticastSteps.Renew(new SocketTarget(handle, 0, new HistoryRecorder(handle.History, _self)), membership);
            }
        }

        SetBack(handle);
    }

    private static bool Exists(DescriptorHandle socket, string nameOrNumber) =>
        NetworkInterfaces.Index(socket, nameOrNumber) is { } index && NetworkInterfaces.Name(socket, index) is not null;

    /// <summary>Gives the sockets the interface's present number; false if the kernel refuses.</summary>
    private bool TryBindAgain(ListenerHandle handle, string device, uint index)
    {
        foreach (var socket in handle.Sockets)
        {
            if (Sockets.GetInt32(socket.Descriptor, SOL_SOCKET, BoundInterface, out var bound) is not null || bound == 0)
            {
                continue;
            }

            if (bound == index)
            {
                ExpectDevice(socket);
                continue;
            }

            var name = NetworkInterfaces.Name(socket.Descriptor, index) ?? device;
            var error = OptionAccess.Set(socket.Descriptor, SocketOptions.BindToDevice, OptionValue.Of(name));
            handle.History.Add(
                HandlePhase.Repair, "setsockopt", SocketOptions.BindToDevice.Name, OptionValue.Of(name),
                OptionAccess.Get(socket.Descriptor, SocketOptions.BindToDevice), error?.Name,
                error is null ? Verdict.Exact : Verdict.Refused, _self,
                $"interface {name} was made again: the socket had its former number");
            if (error is not null)
            {
                return false;
            }

            ExpectDevice(socket);
        }

        return true;
    }

    // A daemon that recovers while the interface is gone reads a socket without a device.
    private static void ExpectDevice(ListenerSocket socket) => socket.Baseline = socket.Baseline?.With(
        SocketOptions.BindToDevice, OptionAccess.Get(socket.Descriptor, SocketOptions.BindToDevice));

    private static void SetGone(ListenerHandle handle, string name)
    {
        var socket = handle.Sockets[0];
        var renamed = Renamed(handle, name);
        var now = OptionValue.Of(renamed ?? "gone");
        var change = new SocketChange(SocketChange.Interface, "rtnetlink", null, OptionValue.Of(name), now);
        if (!socket.Drift.TryAdd(change.Name, change))
        {
            return;
        }

        var verdict = renamed is null
            ? $"interface {name} is gone: nothing arrives until it exists again"
            : $"interface {name} was renamed: the socket serves {renamed} for as long as it exists";
        handle.Diagnosis = new BindDiagnosis
        {
            Address = handle.Requested,
            Errno = "ENODEV",
            Cause = BindCause.DeviceAbsent,
            Verdict = verdict,
            Advice = renamed is null
                ? $"make it again (ip link add {name} ...): listend binds the socket to it then"
                : $"write {renamed} into the configuration, then listenctl reload, or undo it: ip link set {renamed} name {name}",
            IsWatched = true,
        };
        handle.History.Add(
            HandlePhase.Drift, "rtnetlink", SocketChange.Interface, OptionValue.Of(name), now, "ENODEV", Verdict.Drifted,
            note: verdict);
    }

    /// <summary>The present name of the interface to whose number the socket is bound; null if there is none.</summary>
    private static string? Renamed(ListenerHandle handle, string name) =>
        name == Interface(handle)
        && Sockets.GetInt32(handle.Sockets[0].Descriptor, SOL_SOCKET, BoundInterface, out var bound) is null && bound > 0
            ? NetworkInterfaces.Name(handle.Sockets[0].Descriptor, (uint)bound)
            : null;

    private static void SetBack(ListenerHandle handle)
    {
        if (handle.LacksInterface)
        {
            handle.Sockets[0].Drift.Remove(SocketChange.Interface);
            handle.Diagnosis = null;
        }
    }
}
