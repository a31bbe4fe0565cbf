using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Performance;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Makes and owns the daemon's own sockets, and the parts that save its state and pass it on: the control interface, the broker, the
/// checkpointer and the two ways of succession. Only the composition root uses it, like <see cref="DaemonParts"/>.
/// </summary>
internal sealed class Endpoints : IDisposable
{
    /// <summary>How long other work waits for the first answer; it takes some 50 ms.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromMilliseconds(200);

    private readonly ControlServer _control;
    private readonly Broker _broker;
    private readonly BrokerTable _table;
    private readonly CrashSafeDescriptors _descriptors;

    private Endpoints(
        DaemonParts parts, StartRequest request, PreviousDaemonState? previous, ControlServer control, Broker broker, BrokerTable table)
    {
        _control = control;
        _broker = broker;
        _table = table;
        _descriptors = new CrashSafeDescriptors(parts.Loop, request.Info.Paths, previous, request.Log);
        var sources = new StateSources(
            parts.Loop, request.Info, parts.Tokens.Mark, parts.Config, parts.Listeners, parts.Conflicts.GivesUp, parts.Services,
            parts.Events, previous?.Unknown);
        var snapshots = new StateSnapshots(
            sources, new OwnSockets(request.Lock.Descriptor, control.Listener, broker), _descriptors);
        Checkpointer = new StateCheckpointer(
            parts.Loop, parts.Listeners, parts.Services, snapshots, _descriptors, request.Info.Paths.StateFile, request.Log)
        {
            IsFormerStateValid = previous?.IsSaved == true,
        };
        var quiescence = new Quiescence(parts.Loop, control, parts.Orphans, parts.Disposer, () => parts.Services);
        ReExec = new ReExec(
            parts.Loop, parts.Lifecycle, () => parts.Reloader.IsUnderWay, quiescence,
            new ReExecSystem(parts.Loop, parts.Orphans, request.Executable, request.Info.ConfigFile, snapshots, broker, parts.Flush),
            parts.Events, request.Log);
        table.Takeovers = new LiveTakeover(
            parts.Lifecycle, () => parts.Reloader.IsUnderWay, quiescence, new TakeoverSystem(parts.Services, snapshots, parts.Flush),
            parts.Events, request.Log);
        Files = new RuntimeFiles(
            parts.Loop, request.Info.Paths, request.Lock, control, broker, _descriptors, parts.Services, Checkpointer.Rewrite,
            request.Log);
        Connect(parts);
    }

    /// <summary>The daemon's files in the runtime directory.</summary>
    public RuntimeFiles Files { get; }

    /// <summary>Saves what a successor needs.</summary>
    public StateCheckpointer Checkpointer { get; }

    /// <summary>Re-executes the daemon.</summary>
    public ReExec ReExec { get; }

    /// <summary>Whether systemd holds the descriptors, and so restarts the daemon.</summary>
    public bool AreHeldBySystemd => _descriptors.IsSystemd;

    /// <summary>Binds the sockets, or takes those of <paramref name="previous"/>; null with the reason if one cannot be bound.</summary>
    public static Endpoints? TryOpen(DaemonParts parts, StartRequest request, PreviousDaemonState? previous, out string? error)
    {
        var paths = request.Info.Paths;
        var control = ControlServer.TryBind(
            parts.Loop, paths.ControlSocket, request.Log, Inherited(previous, DescriptorKey.Control, paths.ControlSocket), out error);
        if (control is null)
        {
            return null;
        }

        var table = new BrokerTable(parts.Listeners, parts.Services, parts.Events, parts.Requests, request.Log);
        var broker = Broker.TryStart(
            parts.Loop, paths.BrokerSocket, table, parts.Disposer, request.Log, out error,
            Inherited(previous, DescriptorKey.Broker, paths.BrokerSocket));
        if (broker is null)
        {
            control.Stop();
            control.Dispose();
            return null;
        }

        control.Group.Set(parts.Config.Current.Daemon.ControlGroup);
        control.Access.Set(parts.Config.Current.Daemon.Access);
        broker.Access.LookUp(parts.Listeners.Handles);
        if (previous is not null)
        {
            broker.Adopt(previous.Descriptors);
        }

        return new Endpoints(parts, request, previous, control, broker, table);
    }

    /// <summary>Serves the clients of the control socket from now on.</summary>
    public void Serve(DaemonParts parts, StartRequest request, ReloadRunner reloads, IdleMemoryTrimmer trimmer) => _control.Serve(
        new ControlContext(parts.Loop, request.Info, parts.Lifecycle, parts.Listeners, parts.Services, parts.Events,
            parts.Requests, parts.Config, parts.ConfigFiles, parts.Metrics, parts.Drift,
            parts.Overflows, () => _descriptors.AtRisk),
        new ControlVerbs(reloads.RunAsync, ReExec.BeginAsync),
        () => trimmer.Begin(IdleMemoryTrimmer.AfterService));

    /// <summary>
    /// Completes when the first of the clients that have waited for this daemon is served, or after a short time; at once if none waits.
    /// Until then, what can be done later should leave the processors to the HTTP server. After <see cref="Serve"/>.
    /// </summary>
    public Task FirstServed(TimeProvider time) => _control.FirstServed is { IsCompleted: false } served
        ? Task.WhenAny(served, Task.Delay(AnswerPatience, time))
        : Task.CompletedTask;

    /// <summary>The daemon exits regularly: removes the saved state and stops serving clients.</summary>
    public void Close()
    {
        Files.Dispose();
        Checkpointer.Close();
        _control.Stop();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Checkpointer.Dispose();
        _descriptors.Dispose();
        _broker.Dispose();
        _control.Dispose();
    }

    /// <summary>A previous daemon's socket; null without one, or if no socket is at its path any more.</summary>
    private static DescriptorHandle? Inherited(PreviousDaemonState? previous, string key, string path)
    {
        var descriptor = previous?.Descriptors.Take(key);
        if (descriptor is not null && !UnixDiag.IsAt(descriptor, path))
        {
            descriptor.Dispose();
            return null;
        }

        return descriptor;
    }

    private void Connect(DaemonParts parts)
    {
        parts.Orphans.IsSpared = pid => pid == _descriptors.HolderPid || pid == parts.Disposer.Pid || parts.Limited.IsAnchor(pid);
        parts.StateChanged += Checkpointer.Mark;
        parts.DescriptorsMade += Checkpointer.Put;
        parts.Config.Replaced += previous =>
        {
            var group = parts.Config.Current.Daemon.ControlGroup;
            if (previous.Daemon.ControlGroup != group)
            {
                _control.Group.Set(group);
            }

            if (!previous.Daemon.Access.SequenceEqual(parts.Config.Current.Daemon.Access))
            {
                _control.Access.Set(parts.Config.Current.Daemon.Access);
            }

            _broker.Access.Forget();
            Checkpointer.WatchListeners();
        };
        _broker.TakerDisconnected += handles =>
        {
            foreach (var handle in handles)
            {
                parts.Drift.Check(handle);
            }
        };
        _table.Added += (handle, isNew) =>
        {
            if (isNew)
            {
                parts.Events.Watch(handle);
                Checkpointer.Watch(handle);
                SocketTakers.Record(handle);
            }

            Save();
            parts.StartServicesOf(handle);
        };
        _table.Dropped += Save;
    }

    private void Save()
    {
        Checkpointer.Mark();
        Checkpointer.Save();
    }
}
