using System.Collections.Immutable;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Linux;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Model;

/// <summary>
/// The daemon's listeners by name, in the order of the configuration. Owns the handles. On the loop, except for
/// <see cref="Given"/>.
/// </summary>
internal sealed class ListenerTable
{
    private readonly ListenerFactory _factory;
    private readonly List<ListenerHandle> _handles = [];
    private Dictionary<string, ListenerHandle>? _byName;

    public ListenerTable(ListenerFactory factory) => _factory = factory;

    public IReadOnlyList<ListenerHandle> Handles => _handles;

    /// <summary>The listener with this name. Works also during a reload that has renamed some handles.</summary>
    public ListenerHandle? Find(string name) => Find(name.AsSpan()) ?? _handles.Find(handle => handle.Name == name);

    /// <summary>The same between reloads, from the index only.</summary>
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

        return _byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var found) && name.SequenceEqual(found.Name)
            ? found
            : null;
    }

    /// <summary>Whether the descriptor is a socket of one of the listeners.</summary>
    public bool Has(DescriptorHandle descriptor) =>
        Files.GetStatus(descriptor, out var status) is null && status.IsSocket
            && _handles.Exists(handle => handle.Sockets.Any(socket => socket.Inode == status.Inode));

    /// <summary>Adds a listener.</summary>
    public void Add(ListenerHandle handle)
    {
        _handles.Add(handle);
        _byName = null;
    }

    /// <summary>Replaces the configured listeners and keeps the given ones. The caller owns the replaced handles.</summary>
    public void Set(IReadOnlyList<ListenerHandle> handles)
    {
        var given = _handles.Where(handle => handle.IsGiven && !handles.Any(other => other.Name == handle.Name)).ToArray();
        _byName = null;
        _handles.Clear();
        _handles.AddRange([.. handles.Where(handle => !handle.IsGiven), .. given]);
    }

    /// <summary>Replaces the matching listeners by one; without a match it is added last. The caller owns the replaced handles.</summary>
    public void Replace(Predicate<ListenerHandle> matches, ListenerHandle with)
    {
        var at = _handles.FindIndex(matches);
        var others = _handles.Where(handle => !matches(handle)).ToList();
        others.Insert(at < 0 ? others.Count : at, with);
        Set(others);
    }

    /// <summary>The names of given and awaited listeners. Any thread.</summary>
    public ImmutableHashSet<string> Given { get; private set; } = [];

    /// <summary>Adds an awaited listener for each name that a service lists and that is neither configured nor given.</summary>
    public void Await(IEnumerable<ServiceSpec> services, ILogger log)
    {
        foreach (var service in services)
        {
            foreach (var name in service.Listeners.Where(name => Find(name) is null))
            {
                log.Kind(MessageIds.ListenerAwaited).Listener(name).Service(service.Name).Warning(
                    "service {Service}: no listener named {Listener}: the service waits for its descriptor (listenctl put "
                    + "{Listener} --fd N)",
                    service.Name, name, name);
                _handles.Add(_factory.Given.Await(name));
                _byName = null;
            }
        }

        NoteGiven();
    }

    /// <summary>
    /// Looks again why listeners have no socket, before a client reads it. The first few: each search takes time. With
    /// <paramref name="name"/> only that listener.
    /// </summary>
    public void RefreshFailures(string? name = null)
    {
        const int most = 8;
        var read = name is null ? _handles : Find(name) is { } named ? [named] : [];
        foreach (var handle in read.Where(handle => handle is { Descriptor: null, Diagnosis: not null }).Take(most))
        {
            _factory.ExplainAgain(handle);
        }
    }

    /// <summary>Removes awaited listeners that no service lists.</summary>
    public void Prune(Func<ListenerHandle, bool> isUsed)
    {
        _byName = null;
        _handles.RemoveAll(handle => handle.IsAwaited && !isUsed(handle));
        NoteGiven();
    }

    /// <summary>
    /// Adds a listener for a descriptor that the configuration does not name; its handle owns the descriptor. The name must
    /// be unused or awaited.
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

    /// <summary>Closes a given listener.</summary>
    public void Release(ListenerHandle handle)
    {
        _handles.Remove(handle);
        _byName?.Remove(handle.Name);
        _factory.Close(handle, removePath: false);
        NoteGiven();
    }

    /// <summary>Closes all listeners. Removes only socket files that this daemon or a predecessor has created.</summary>
    public void Close() => _factory.Close(_handles, removePath: true);
}
