using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting.Systemd;
using Supervisor.Core;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Tests.Fakes;

/// <summary>A process whose signals the test sends.</summary>
internal sealed class FakeSystem : IDaemonSystem
{
    private readonly TaskCompletionSource<Action<PosixSignal, Requester?>> _handler =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeSystemd Manager { get; } = new();

    public TimeProvider Time => TimeProvider.System;

    public ISystemdNotifier Systemd => Manager;

    public bool AreSignalsUnblocked { get; private set; }

    public string? Variable(string name) => null;

    public IDisposable Handle(Action<PosixSignal, Requester?> onSignal)
    {
        _handler.TrySetResult(onSignal);
        return new Nothing();
    }

    /// <summary>Sends a signal, once there is a handler.</summary>
    public async Task SendAsync(PosixSignal signal, Requester? by = null) =>
        (await _handler.Task.WaitAsync(Patience.Deadline))(signal, by);

    public void UnblockSignals() => AreSignalsUnblocked = true;

    public void AskIfRestart(EventLoop loop, OrphanReaper orphans, Action<bool> onKnown) => loop.Post(() => onKnown(false));

    public void Exit() => throw new InvalidOperationException("the daemon exits");

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
