using Serilog;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Model;
using Supervisor.Linux;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Makes the daemon's files in the runtime directory again if another program removes them: a second unit with the same
/// RuntimeDirectory=, or a clean-up. inotify(7) announces a removal, and SIGHUP asks for the same. On the loop.
/// </summary>
internal sealed class RuntimeFiles : IDeadline, IDisposable
{
    /// <summary>How long a removal may go on before the files are made again: rm -r removes one after the other.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);

    private readonly EventLoop _loop;
    private readonly RuntimePaths _paths;
    private readonly InstanceLock _lock;
    private readonly ControlServer _control;
    private readonly Broker _broker;
    private readonly CrashSafeDescriptors _descriptors;
    private readonly ServiceTable _services;
    private readonly Action _save;
    private readonly ILogger _log;
    private readonly byte[] _buffer = new byte[4096];
    private DescriptorHandle? _removals;
    private TimeSpan? _restoreAt;

    /// <summary>Begins to watch the directory.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="paths">The runtime directory.</param>
    /// <param name="instance">Its lock.</param>
    /// <param name="control">The control socket.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="descriptors">The keeper, which has a socket there.</param>
    /// <param name="services">The services, whose workers have notify sockets there.</param>
    /// <param name="save">Writes the state again.</param>
    /// <param name="log">The log.</param>
    public RuntimeFiles(
        EventLoop loop, RuntimePaths paths, InstanceLock instance, ControlServer control, Broker broker, CrashSafeDescriptors descriptors,
        ServiceTable services, Action save, ILogger log)
    {
        (_loop, _paths, _lock, _control, _broker) = (loop, paths, instance, control, broker);
        (_descriptors, _services, _save, _log) = (descriptors, services, save, log);
        loop.Add(this);
        Watch();
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline => _restoreAt;

    /// <inheritdoc/>
    public void PassDeadline()
    {
        _restoreAt = null;
        Restore();
    }

    /// <summary>Makes again what is missing.</summary>
    public void Restore()
    {
        var isMissing = IsMissing();
        var error = _lock.Restore(_paths) ?? _control.Restore() ?? _broker.Restore();
        if (error is not null)
        {
            _log.Kind(MessageIds.RuntimeFilesLost).Error(
                "{Directory}: files of the daemon were removed and cannot be made again: {Reason}", _paths.Directory, error);
            return;
        }

        _descriptors.RestoreSocket();
        foreach (var runner in _services)
        {
            runner.Workers.RestoreNotifySockets();
        }

        if (isMissing)
        {
            Watch();
            _save();

            // The removal may continue, and nothing has announced what it removed before the directory was watched again.
            if (IsMissing())
            {
                _restoreAt ??= _loop.Now + Settle;
            }

            _log.Kind(MessageIds.RuntimeFilesRestored).Warning(
                "{Directory}: another program has removed files of the daemon: made again; it should not use this directory",
                _paths.Directory);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Remove(this);
        Unwatch();
    }

    private bool IsMissing() => Files.GetStatus(_paths.LockFile, out _) is not null
        || !UnixDiag.IsAt(_control.Listener, _paths.ControlSocket)
        || !UnixDiag.IsAt(_broker.Listener, _paths.BrokerSocket) || Files.GetStatus(_paths.NotifyDirectory, out _) is not null
        || _descriptors.IsSocketMissing;

    private void Watch()
    {
        Unwatch();
        _removals = DirectoryWatch.Open(_paths.Directory, out _);
        if (_removals is not null)
        {
            _loop.Watch(_removals, OnRemoval);
        }
    }

    private void Unwatch()
    {
        if (_removals is not null)
        {
            _loop.Unwatch(_removals);
            _removals.Dispose();
            _removals = null;
        }
    }

    private void OnRemoval()
    {
        while (Files.Read(_removals!, _buffer, out _) > 0)
        {
            // Which file it was does not matter.
        }

        if (IsMissing())
        {
            _restoreAt ??= _loop.Now + Settle;
        }
    }
}
