using System.Collections.Immutable;
using Serilog;
using Supervisor.Core.Continuity;
using Supervisor.Core.Listeners;
using Supervisor.Daemon.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon;

/// <summary>The daemon's listeners by name: given descriptors are taken first, what is missing is made. Owns the handles.</summary>
internal sealed class ListenerTable
{
    private readonly ListenerFactory _factory;
    private readonly List<ListenerHandle> _handles = [];

    public ListenerTable(ListenerFactory factory) => _factory = factory;

    public IReadOnlyList<ListenerHandle> Handles => _handles;

    public ListenerHandle? Find(string name) => _handles.Find(handle => handle.Name == name);

    /// <summary>Whether that is the socket of one of them.</summary>
    public bool Has(DescriptorHandle descriptor) =>
        Files.GetStatus(descriptor, out var status) is null && status.IsSocket && _handles.Exists(handle => handle.Sockets.Any(socket => socket.Inode == status.Inode));

    /// <summary>Opens all of them, in the configuration's order.</summary>
    public void Open(ImmutableArray<ListenerSpec> specs, ILogger log)
    {
        var inherited = InheritedDescriptors.FromEnvironment(out var complaint);
        if (complaint is not null)
        {
            log.Warning("given descriptors: {Complaint}", complaint);
        }

        var giver = inherited.Remaining.Count > 0 ? Parent() : null;
        var adopted = new Dictionary<string, ListenerHandle>(StringComparer.Ordinal);

        // By name first, since a name is what somebody meant; then by what the socket is.
        foreach (var spec in specs)
        {
            var index = IndexOf(inherited, (name, _) => name == spec.Name || DescriptorKey.ListenerName(name) == spec.Name);
            if (index >= 0)
            {
                adopted.Add(spec.Name, _factory.Adopt(spec, inherited.Take(index), HandleOrigin.InheritedSystemd, giver, $"LISTEN_FDS, by its name \"{spec.Name}\""));
            }
        }

        foreach (var spec in specs.Where(spec => !adopted.ContainsKey(spec.Name)))
        {
            var index = IndexOf(inherited, (_, descriptor) => SocketIdentity.Read(descriptor)?.Matches(spec.Address) == true);
            if (index >= 0)
            {
                adopted.Add(spec.Name, _factory.Adopt(spec, inherited.Take(index), HandleOrigin.InheritedSystemd, giver, $"LISTEN_FDS, by its address {spec.Address}"));
            }
        }

        while (inherited.Remaining.Count > 0)
        {
            var name = inherited.Remaining[0].Name;
            using var descriptor = inherited.Take(0);
            log.Warning("given descriptor {Number} (\"{Name}\", {Address}): no listener has that name or address, so it is closed", descriptor.Number, name, SocketIdentity.Read(descriptor)?.Address?.ToString() ?? "no bound socket");
        }

        foreach (var spec in specs)
        {
            _handles.Add(adopted.GetValueOrDefault(spec.Name) ?? _factory.Create(spec));
        }
    }

    /// <summary>Other listeners are configured from now on; those that were before are the caller's, what was given stays.</summary>
    public void Set(IReadOnlyList<ListenerHandle> handles)
    {
        var given = _handles.Where(handle => handle.IsGiven).ToArray();
        _handles.Clear();
        _handles.AddRange([.. handles.Where(handle => !handle.IsGiven), .. given]);
    }

    /// <summary>Goes on with a predecessor's listeners.</summary>
    public void Restore(Predecessor predecessor, ILogger log)
    {
        foreach (var entry in predecessor.Manifest.Listeners)
        {
            var descriptor = predecessor.Descriptors.Take(DescriptorKey.Listener(entry.Spec.Name));
            if (entry.IsGiven && descriptor is null)
            {
                log.Warning("listener {Listener}: it had been given, and nobody holds it any more; put it again", entry.Spec.Name);
                continue;
            }

            var handle = _factory.Restore(entry, descriptor, predecessor.Origin, predecessor.Call, predecessor.Note);
            _factory.RestoreShards(
                handle, shard => predecessor.Descriptors.Take(DescriptorKey.Shard(entry.Spec.Name, shard)), predecessor.Call, predecessor.Note,
                entry.Shards, inode => predecessor.Descriptors.Take(DescriptorKey.LeavingShard(entry.Spec.Name, inode)));
            _handles.Add(handle);
        }
    }

    /// <summary>
    /// Holds a descriptor that no configuration asks for; the handle is in the table from now on and owns it. The name must
    /// be free.
    /// </summary>
    public ListenerHandle Hold(string name, DescriptorHandle descriptor, HandleOrigin origin, HistoryActor? giver, string note)
    {
        var handle = _factory.Hold(name, descriptor, origin, giver, note);
        _handles.Add(handle);
        return handle;
    }

    /// <summary>Lets go of one that was given.</summary>
    public void Release(ListenerHandle handle)
    {
        _handles.Remove(handle);
        _factory.Close(handle, removePath: false);
    }

    public void Close()
    {
        foreach (var handle in _handles)
        {
            // Of the socket files only those that this daemon, or a predecessor, has made are known, and removed.
            _factory.Close(handle, removePath: true);
        }
    }

    private static int IndexOf(InheritedDescriptors inherited, Func<string, DescriptorHandle, bool> matches)
    {
        for (var i = 0; i < inherited.Remaining.Count; i++)
        {
            if (matches(inherited.Remaining[i].Name, inherited.Remaining[i].Descriptor))
            {
                return i;
            }
        }

        return -1;
    }

    private static HistoryActor? Parent() => ProcFile.Read(Processes.CurrentPid)?.ParentPid is { } pid and > 0
        ? new HistoryActor(pid, ProcFile.Command(pid) ?? "?")
        : null;
}
