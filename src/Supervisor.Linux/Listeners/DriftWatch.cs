using System.Runtime.CompilerServices;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Notices what a worker changes on a socket that it shares with the daemon, names the worker, and with <c>enforce</c> repairs it.
/// </summary>
/// <remarks>
/// Options, backlog and filter belong to the open socket; so does O_NONBLOCK, which is not drift (<see
/// cref="NonBlockingFlag"/>). A process that holds a duplicate of the descriptor changes
/// them for all holders, and the kernel neither announces the change nor records who made it. So the daemon reads the socket
/// before the first hand-off (<see cref="ListenerHandle.RecordBaseline"/>), and again when a worker becomes ready, before the end of
/// a worker is handled, and when a client asks; never in between, so that the daemon can sleep. The culprit is known only if a
/// single process held the socket since the last good reading; otherwise all holders are named.
/// </remarks>
public sealed class DriftWatch
{
    /// <summary>How often a listener that was shut down is made again within <see cref="RemakeInterval"/>.</summary>
    public const int RemakeLimit = 5;

    private readonly EventLoop _loop;
    private readonly ShutdownRepair _repair;
    private readonly SocketFileWatch _files;
    private readonly List<ISocketUser> _users = [];
    private readonly HashSet<ISocketUser> _toCheck = [];
    private readonly ConditionalWeakTable<ListenerHandle, Queue<TimeSpan>> _remade = [];
    private readonly HistoryActor _self = new(Processes.CurrentPid, "listend");

    /// <summary>A drift watch that repairs and makes sockets again by the parts of <paramref name="factory"/>.</summary>
    public DriftWatch(EventLoop loop, ListenerFactory factory)
    {
        _loop = loop;
        _repair = factory.Repair;
        _files = new SocketFileWatch(
            factory.SocketFiles, Holders, pid => pid == Processes.CurrentPid || _users.Exists(user => user.Owns(pid)), RenewSoon, _self);
    }

    /// <summary>A listener was compared with its socket.</summary>
    public event Action<ListenerHandle>? Checked;

    /// <summary>
    /// Raised on the loop, after the present event, for a UNIX listener, a FIFO or a message queue whose file is gone and cannot be put
    /// back: it needs another socket.
    /// </summary>
    public event Action<ListenerHandle>? NeedsNewSocket;

    /// <summary>The span of <see cref="RemakeLimit"/>.</summary>
    public static TimeSpan RemakeInterval { get; } = TimeSpan.FromMinutes(1);

    /// <summary>Adds a service: its workers are named as holders, and replaced when a listener is made again.</summary>
    internal void Add(ISocketUser user) => _users.Add(user);

    /// <summary>Removes a service.</summary>
    internal void Remove(ISocketUser user) => _users.Remove(user);

    /// <summary>Checks the listeners of a service.</summary>
    internal void Check(ISocketUser user)
    {
        foreach (var handle in user.Listeners)
        {
            Check(handle);
        }
    }

    /// <summary>
    /// Checks the listeners of a service at the end of this turn of the loop: where hundreds of workers become ready at the
    /// same time, their sockets are read once.
    /// </summary>
    internal void CheckSoon(ISocketUser user)
    {
        if (_toCheck.Add(user))
        {
            _loop.AtTurnEnd(() =>
            {
                _toCheck.Remove(user);
                if (_users.Contains(user))
                {
                    Check(user);
                }
            });
        }
    }

    /// <summary>
    /// Before a worker gets the listeners: gives O_NONBLOCK the configured value on each socket that no other process has. A
    /// program that had the socket may have left it changed.
    /// </summary>
    public void Prepare(IReadOnlyList<ListenerHandle> listeners)
    {
        foreach (var handle in listeners)
        {
            foreach (var socket in handle.Sockets)
            {
                if (NonBlockingFlag.Differs(handle, socket))
                {
                    SocketTakers.ForgetExited(handle);
                    if (Holders(handle, socket).Count == 0)
                    {
                        NonBlockingFlag.Restore(handle, socket, _self);
                    }
                }
            }
        }
    }

    /// <summary>
    /// Reads the listener's sockets back, records what has changed, and repairs what can and may be repaired. Returns what was read of
    /// the first socket if nothing has changed on it.
    /// </summary>
    public SocketReading? Check(ListenerHandle handle)
    {
        SocketReading? first = null;
        foreach (var socket in handle.Sockets.ToArray())
        {
            if (socket.Baseline is { } baseline && Check(handle, socket, baseline) && handle.Sockets is [var now, ..] && now == socket)
            {
                first = baseline;
            }
        }

        _files.Check(handle, isAsked: false);

        SocketTakers.ForgetExited(handle);
        Checked?.Invoke(handle);
        return first;
    }

    /// <summary>
    /// Compares the path of a UNIX listener or FIFO, or the name of a message queue, with what the daemon has open. A reload repairs it
    /// also without <c>enforce</c>. Whether the listener gets another socket soon.
    /// </summary>
    public bool CheckFile(ListenerHandle handle, bool isAsked = false) => _files.Check(handle, isAsked);

    /// <summary>What is wrong with the file of a UNIX listener, as text; null if nothing is.</summary>
    public string? FileFinding(ListenerHandle handle) => _files.Finding(handle);

    /// <summary>Makes the socket again, because it cannot be repaired, and replaces the workers that have the old one.</summary>
    internal void Remake(ListenerHandle handle, string what)
    {
        if (!IsRemadeTooOften(handle) && handle.Sockets is [var socket])
        {
            Remake(handle, socket, what);
        }
    }

    /// <summary>Whether the socket is as in its <paramref name="baseline"/>; otherwise handles the changes.</summary>
    private bool Check(ListenerHandle handle, ListenerSocket socket, SocketReading baseline)
    {
        var changes = SocketReader.Read(handle, socket).ChangesSince(baseline);
        if (socket.HasDrifted)
        {
            foreach (var name in socket.Drift.Keys.Where(
                name => !SocketChange.IsOutside(name) && !changes.Any(change => change.Name == name)).ToArray())
            {
                socket.Drift.Remove(name);
            }
        }

        IReadOnlyList<SocketHolderProcess>? holders = null;
        foreach (var change in changes)
        {
            if (socket.Drift.TryGetValue(change.Name, out var known) && known.Now == change.Now && change.Name != SocketChange.Shutdown)
            {
                continue;
            }

            if (change.Option == SocketOptions.BindToDevice && handle.LacksInterface)
            {
                // The kernel shows no device because it is gone: no worker has changed that (InterfaceWatch).
                continue;
            }

            if (IsNewDefault(handle, change))
            {
                socket.Baseline = socket.Baseline!.With(change.Option!, change.Now);
                continue;
            }

            holders ??= Holders(handle, socket);
            if (change.Name == SocketChange.NonBlocking)
            {
                NonBlockingFlag.Note(handle, socket, change, holders);
                continue;
            }

            if (change.Name == SocketChange.Shutdown)
            {
                HandleShutdown(handle, socket, change, holders);
                return false;
            }

            var isNews = socket.IsNews(change.Name, holders);
            var kept = change.WhyNotRepaired(handle.Spec.Address.Kind, change.Option is { } option && handle.AskedFor(option) is not null);
            socket.Drift[change.Name] = change;
            if (isNews)
            {
                DriftHistory.Add(handle, socket, change, holders, kept);
            }

            if (handle.Spec.Enforce && kept is null)
            {
                Repair(handle, socket, change, isNews);
            }
        }

        return changes.Count == 0;
    }

    private void Repair(ListenerHandle handle, ListenerSocket socket, SocketChange change, bool isNews)
    {
        var error = SocketRepair.Undo(handle, socket, change, out var call, out var value);
        var reading = SocketReader.Read(handle, socket);
        var left = reading.ChangesSince(socket.Baseline!).FirstOrDefault(one => one.Name == change.Name);
        string? why = null;
        if (error is null && left is { Name: SocketChange.Backlog })
        {
            // net.core.somaxconn has changed since the start and allows no more.
            socket.Baseline = socket.Baseline! with { Backlog = reading.Backlog };
            why = ReadBack.ExplainBacklog(value?.Number ?? 0, reading.Backlog, Sysctl.ReadNumber("net.core.somaxconn"));
        }

        if (left is null or { Name: SocketChange.Backlog } && error is null)
        {
            socket.Drift.Remove(change.Name);
        }

        if (isNews)
        {
            handle.History.Add(
                HandlePhase.Repair, call, change.Name, value, left is null ? change.Before : left.Now, error?.Name,
                error is not null ? Verdict.Refused
                    : left is null ? Verdict.Exact
                    : left.Name == SocketChange.Backlog ? Verdict.Adjusted
                    : Verdict.Drifted,
                _self, why ?? error?.Text ?? (handle.Sockets.Count > 1 ? $"shard {socket.Shard}" : null));
        }
    }

    /// <summary>
    /// The listener accepts no more connections, and those that waited were reset (net/ipv4/af_inet.c, inet_shutdown). With
    /// <c>enforce</c> its socket is made again on the same address, and the workers are replaced, because they hold the old one.
    /// </summary>
    private void HandleShutdown(
        ListenerHandle handle, ListenerSocket socket, SocketChange change, IReadOnlyList<SocketHolderProcess> holders)
    {
        if (socket.Drift.TryAdd(change.Name, change))
        {
            DriftHistory.Add(handle, socket, change, holders, null);
        }

        if (handle.Spec.Enforce && !IsRemadeTooOften(handle))
        {
            Remake(handle, socket, SocketChange.Shutdown);
        }
    }

    private void Remake(ListenerHandle handle, ListenerSocket socket, string what)
    {
        if (handle is { Steering: not null, Sockets.Count: > 1 })
        {
            Drop(handle, socket);
            return;
        }

        var before = socket.Inode;
        var users = _users.Where(user => user.IsStarted && user.Listeners.Contains(handle)).ToArray();
        var shard = handle.Sockets.Count > 1 ? $"shard {socket.Shard}: " : "";
        var replaced = users.Length == 0 ? "" : $"; the workers of {NameList.Of(users.Select(user => user.Name))} are replaced";
        if (shard.Length > 0 ? _repair.RemakeShard(handle, socket.Shard) : _repair.Remake(handle))
        {
            handle.History.Add(
                HandlePhase.Repair, "listen", what,
                effective: OptionValue.Of(handle.Effective?.ToString() ?? ""), actor: _self,
                note: $"{shard}made again: inode {handle.Sockets[socket.Shard].Inode}, was {before}{replaced}");
        }

        // After the present event, which may be a worker's end that has not been handled yet.
        _loop.Post(() =>
        {
            foreach (var user in users.Where(user => user.IsStarted))
            {
                user.ReplaceWorkers();
            }
        });
    }

    /// <summary>
    /// A worker has shut its own socket of a steered listener down, as many do when they drain. What waited there has moved to the
    /// others, and so do new connections.
    /// </summary>
    private void Drop(ListenerHandle handle, ListenerSocket socket)
    {
        _repair.Drop(handle, socket);
        _loop.Post(() =>
        {
            foreach (var user in _users.Where(user => user.IsStarted && user.Listeners.Contains(handle)).ToArray())
            {
                user.SocketDropped(socket);
            }
        });
    }

    private bool RenewSoon(ListenerHandle handle)
    {
        if (IsRemadeTooOften(handle))
        {
            return false;
        }

        _loop.Post(() => NeedsNewSocket?.Invoke(handle));
        return true;
    }

    private bool IsRemadeTooOften(ListenerHandle handle)
    {
        var times = _remade.GetOrCreateValue(handle);
        while (times.TryPeek(out var oldest) && oldest + RemakeInterval < _loop.Now)
        {
            times.Dequeue();
        }

        if (times.Count == RemakeLimit)
        {
            return true;
        }

        times.Enqueue(_loop.Now);
        return false;
    }

    /// <summary>
    /// Whether the value is only the kernel's default, which a sysctl has changed: an option that was never set shows it, such as
    /// TCP_KEEPIDLE and IP_TTL.
    /// </summary>
    private static bool IsNewDefault(ListenerHandle handle, SocketChange change)
    {
        if (change.Option is not { } option || handle.AskedFor(option) is not null)
        {
            return false;
        }

        using var fresh = NamespaceCall.Open(ListenerPlan.Creation(handle.Spec, handle.Domain), out _);
        return fresh is not null && OptionAccess.Get(fresh, option) is { } value && value == change.Now && value != change.Before
            && option.Shape is OptionShape.Number or OptionShape.Name;
    }

    /// <summary>
    /// The processes that held the socket since the last check: workers of its services, and those that took it from the
    /// broker.
    /// </summary>
    private List<SocketHolderProcess> Holders(ListenerHandle handle, ListenerSocket socket)
    {
        var holders = _users.Where(user => user.Listeners.Contains(handle)).SelectMany(user => user.HoldersOf(socket)).ToList();
        foreach (var taker in (SocketTakers.Of(handle) ?? []).Where(taker => holders.All(holder => holder.Pid != taker.Pid)))
        {
            var worker = _users.Select(user => user.FindWorker(taker.Pid)).FirstOrDefault(found => found is not null);
            holders.Add(worker ?? new SocketHolderProcess(taker.Pid, taker.Name, taker.Name, Slot: null, Generation: 0));
        }

        return holders;
    }
}
