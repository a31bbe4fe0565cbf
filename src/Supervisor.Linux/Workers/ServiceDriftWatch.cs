using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Checks the listeners of each service for drift when a worker becomes ready, and before a worker's exit is handled.
/// </summary>
public sealed class ServiceDriftWatch(DriftWatch drift)
{
    private readonly Dictionary<ServiceRunner, SocketUser> _users = [];

    /// <summary>Starts to check the listeners of a service.</summary>
    public void Add(ServiceRunner runner)
    {
        var user = new SocketUser(runner);
        _users.Add(runner, user);
        drift.Add(user);
        runner.Ending += _ => drift.Check(user);
        runner.Spawning += drift.Prepare;
        runner.Changed += (_, reports) =>
        {
            if (reports.Any(report => report.Report == ServiceReport.WorkerReady))
            {
                drift.CheckSoon(user);
            }
        };
    }

    /// <summary>Stops checking the listeners of a service.</summary>
    public void Remove(ServiceRunner runner)
    {
        if (_users.Remove(runner, out var user))
        {
            drift.Remove(user);
        }
    }

    private sealed class SocketUser(ServiceRunner runner) : ISocketUser
    {
        private const string Repair = "the repair of a listener that a worker has changed (see \"listenctl history LISTENER\")";

        public string Name => runner.Name;

        public IReadOnlyList<ListenerHandle> Listeners => runner.Generations.Next.Listeners;

        public bool IsStarted => runner.State.IsStarted;

        public IEnumerable<SocketHolderProcess> HoldersOf(ListenerSocket socket) =>
            runner.State.Spec.Handoff is HandoffKind.None or HandoffKind.ScmRights
                ? []
                : runner.State.Workers.Where(worker => PidOf(worker) is not null && runner.Shards.Holds(worker.Id, socket)).Select(Holder);

        public SocketHolderProcess? FindWorker(int pid) =>
            runner.State.Workers.FirstOrDefault(worker => worker.Pid == pid) is { } found ? Holder(found) : null;

        public bool Owns(int pid) =>
            FindWorker(pid) is not null || (Processes.SessionOf(pid) is var session and > 0 && FindWorker(session) is not null);

        public void ReplaceWorkers() => runner.Requests.Restart(by: Repair);

        public void SocketDropped(ListenerSocket socket)
        {
            if (runner.Steering.IsServed(socket))
            {
                runner.Requests.Restart(by: Repair);
            }
        }

        /// <summary>The machine learns the pid at the end of the turn, when the program may already use the socket.</summary>
        private int? PidOf(WorkerState worker) => worker.Pid ?? runner.Workers.Process(worker.Id)?.Pid;

        private SocketHolderProcess Holder(WorkerState worker) =>
            new(PidOf(worker)!.Value, $"{runner.Name}/{worker.Slot}", runner.Name, worker.Slot, worker.Generation);
    }
}
