using System.Collections.Immutable;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Linux;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>The daemon's listeners by name: given descriptors are taken first, what is missing is made. Owns the handles.</summary>
internal sealed class ListenerTable
{
    private readonly ListenerFactory _factory;
    private readonly List<ListenerHandle> _handles = [];
    private Dictionary<string, ListenerHandle>? _byName;

    public ListenerTable(ListenerFactory factory) => _factory = factory;

    public IReadOnlyList<ListenerHandle> Handles => _handles;

    /// <summary>The listener of that name. In the middle of a reload, too, when some have another name already.</summary>
    public ListenerHandle? Find(string name) => Find(name.AsSpan()) ?? _handles.Find(handle => handle.Name == name);

    /// <summary>The same between reloads, without going through all of them where there is none.</summary>
    public ListenerHandle? Find(ReadOnlySpan<char> name)
    {
        if (_byName is null)
        {
            _byName = new(_handles.Count, StringComparer.Ordinal);
            foreach (var handle in _handles)
            {
                _byName.TryAdd(handle.Name, handle);
            }
        }

        return _byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var found) && name.SequenceEqual(found.Name) ? found : null;
    }

    /// <summary>Whether that is the socket of one of them.</summary>
    public bool Has(DescriptorHandle descriptor) =>
        Files.GetStatus(descriptor, out var status) is null && status.IsSocket && _handles.Exists(handle => handle.Sockets.Any(socket => socket.Inode == status.Inode));

    /// <summary>Opens all of them, in the configuration's order.</summary>
    public void Open(ImmutableArray<ListenerSpec> specs, Disposer disposer, ILogger log)
    {
        var inherited = InheritedDescriptors.FromEnvironment(out var complaint);
        if (complaint is not null)
        {
            log.Kind(MessageIds.GivenDescriptorsInvalid).Warning("given descriptors: {Complaint}", complaint);
        }

        var giver = inherited.Remaining.Count > 0 ? Parent() : null;
        var adopted = new Dictionary<string, ListenerHandle>(StringComparer.Ordinal);

        // By name first, since a name is what somebody meant; then by what the socket is.
        foreach (var spec in specs)
        {
            if (Take(inherited, spec, (name, _) => name == spec.Name || DescriptorKey.ListenerName(name) == spec.Name || IsShard(name, spec)) is { Count: > 0 } taken)
            {
                adopted.Add(spec.Name, _factory.Adopter.Adopt(spec, taken, HandleOrigin.InheritedSystemd, giver, $"LISTEN_FDS, by its name \"{spec.Name}\""));
            }
        }

        foreach (var spec in specs.Where(spec => !adopted.ContainsKey(spec.Name)))
        {
            if (Take(inherited, spec, (_, descriptor) => SocketIdentity.Read(descriptor)?.Matches(spec.Address) == true) is { Count: > 0 } taken)
            {
                adopted.Add(spec.Name, _factory.Adopter.Adopt(spec, taken, HandleOrigin.InheritedSystemd, giver, $"LISTEN_FDS, by its address {spec.Address}"));
            }
        }

        while (inherited.Remaining.Count > 0)
        {
            var name = inherited.Remaining[0].Name;
            var descriptor = inherited.Take(0);
            log.Kind(MessageIds.DescriptorClosed).Warning("given descriptor {Number} (\"{Name}\", {Address}): no listener has that name or address, so it is closed", descriptor.Number, name, SocketIdentity.Read(descriptor)?.Address?.ToString() ?? "no bound socket");

            // A worker of a daemon of which nothing else is left may have stored it.
            disposer.Close("given", [descriptor]);
        }

        using (BulkCreation.Prepare(specs.Length - adopted.Count))
        {
            foreach (var spec in specs)
            {
                _handles.Add(adopted.GetValueOrDefault(spec.Name) ?? _factory.Create(spec));
            }
        }

        _byName = null;
    }

    /// <summary>Other listeners are configured from now on; those that were before are the caller's, what was given stays.</summary>
    public void Set(IReadOnlyList<ListenerHandle> handles)
    {
        var given = _handles.Where(handle => handle.IsGiven && !handles.Any(other => other.Name == handle.Name)).ToArray();
        _byName = null;
        _handles.Clear();
        _handles.AddRange([.. handles.Where(handle => !handle.IsGiven), .. given]);
    }

    /// <summary>Another socket takes the place of those; it comes last where there are none. They are the caller's from now on.</summary>
    public void Replace(Predicate<ListenerHandle> those, ListenerHandle with)
    {
        var at = _handles.FindIndex(those);
        var others = _handles.Where(handle => !those(handle)).ToList();
        others.Insert(at < 0 ? others.Count : at, with);
        Set(others);
    }

    /// <summary>Goes on with a predecessor's listeners.</summary>
    public void Restore(PreviousDaemonState predecessor, ILogger log)
    {
        foreach (var entry in predecessor.Manifest.Listeners)
        {
            var descriptor = predecessor.Descriptors.Take(DescriptorKey.Listener(entry.Spec.Name));
            if (entry.IsGiven && descriptor is null)
            {
                log.Kind(MessageIds.ListenerLost).Listener(entry.Spec.Name).Warning("listener {Listener}: it had been given, and nobody holds it any more; put it again", entry.Spec.Name);
                continue;
            }

            var handle = _factory.Restorer.Restore(entry, descriptor, predecessor.Origin, predecessor.Call, predecessor.Note);
            _factory.Restorer.RestoreShards(
                handle, shard => predecessor.Descriptors.Take(DescriptorKey.Shard(entry.Spec.Name, shard)), predecessor.Call, predecessor.Note,
                entry.Shards, inode => predecessor.Descriptors.Take(DescriptorKey.LeavingShard(entry.Spec.Name, inode)));
            _handles.Add(handle);
        }

        _byName = null;
    }

    /// <summary>Names under which something was given, or is awaited. Any thread.</summary>
    public ImmutableHashSet<string> Given { get; private set; } = [];

    /// <summary>What services list and nobody has configured or given is awaited from now on.</summary>
    public void Await(IEnumerable<ServiceSpec> services, ILogger log)
    {
        foreach (var service in services)
        {
            foreach (var name in service.Listeners.Where(name => Find(name) is null))
            {
                log.Kind(MessageIds.ListenerAwaited).Listener(name).Service(service.Name).Warning("service {Service}: no listener is configured as {Listener}: the service waits until somebody gives it (listenctl put {Listener} --fd N)", service.Name, name, name);
                _handles.Add(_factory.Given.Await(name));
                _byName = null;
            }
        }

        NoteGiven();
    }

    /// <summary>Forgets what is awaited for nobody.</summary>
    public void Prune(Func<ListenerHandle, bool> isUsed)
    {
        _byName = null;
        _handles.RemoveAll(handle => handle.IsAwaited && !isUsed(handle));
        NoteGiven();
    }

    /// <summary>
    /// Holds a descriptor that no configuration asks for; the handle is in the table from now on and owns it. The name must
    /// be free, or awaited.
    /// </summary>
    public ListenerHandle Hold(string name, DescriptorHandle descriptor, HandleOrigin origin, HistoryActor? giver, string note)
    {
        var awaited = Find(name);
        var handle = _factory.Given.Hold(name, descriptor, origin, giver, note, awaited);
        if (awaited is null)
        {
            _handles.Add(handle);
            _byName?.TryAdd(handle.Name, handle);
        }

        NoteGiven();
        return handle;
    }

    private void NoteGiven() => Given = [.. _handles.Where(handle => handle.IsGiven).Select(handle => handle.Name)];

    /// <summary>Lets go of one that was given.</summary>
    public void Release(ListenerHandle handle)
    {
        _handles.Remove(handle);
        _byName?.Remove(handle.Name);
        _factory.Close(handle, removePath: false);
        NoteGiven();
    }

    public void Close()
    {
        foreach (var handle in _handles)
        {
            // Of the socket files only those that this daemon, or a predecessor, has made are known, and removed.
            _factory.Close(handle, removePath: true);
        }
    }

    private static bool IsShard(string key, ListenerSpec spec)
    {
        for (var shard = 1; shard < spec.Shards; shard++)
        {
            if (key == DescriptorKey.Shard(spec.Name, shard))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The descriptors that are the listener's: as many as it has shards, in their order, all of one address. A socket unit
    /// gives all its sockets one name, also such as are bound elsewhere.
    /// </summary>
    private static List<DescriptorHandle> Take(InheritedDescriptors inherited, ListenerSpec spec, Func<string, DescriptorHandle, bool> matches)
    {
        var taken = new List<DescriptorHandle>();
        ListenAddress? address = null;
        if (spec.Shards > 1)
        {
            address = inherited.Remaining.Where(one => matches(one.Name, one.Descriptor)).Select(one => SocketIdentity.Read(one.Descriptor))
                .FirstOrDefault(identity => identity?.Matches(spec.Address) == true)?.Address;
        }

        for (var i = 0; i < inherited.Remaining.Count && taken.Count < spec.Shards;)
        {
            var (name, descriptor) = inherited.Remaining[i];
            if (matches(name, descriptor) && (address is null || SocketIdentity.Read(descriptor)?.Address == address))
            {
                taken.Add(inherited.Take(i));
                address ??= spec.Shards > 1 ? SocketIdentity.Read(descriptor)?.Address : null;
            }
            else
            {
                i++;
            }
        }

        return taken;
    }

    private static HistoryActor? Parent() => ProcFile.Read(Processes.CurrentPid)?.ParentPid is { } pid and > 0
        ? new HistoryActor(pid, ProcFile.Command(pid) ?? "?")
        : null;
}
