using Microsoft.AspNetCore.Http;
using Supervisor.Core.Listeners.History;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Control;

/// <summary>Whether clients should be sent to this host, for balancers and orchestrators.</summary>
internal sealed class Readiness(EventLoop loop, Lifecycle lifecycle, ListenerTable listeners, ServiceTable services, DriftWatch drift)
{
    /// <summary>Why clients should be sent elsewhere, a line for each reason; empty if this host is ready. Not on the loop.</summary>
    public Task<string[]> ReadAsync() => loop.Ask(() => Reasons().ToArray());

    /// <summary>200, or 503 with the reasons.</summary>
    public static Task AnswerAsync(HttpContext context, string[] reasons) => reasons.Length == 0
        ? Answer.Text(context, StatusCodes.Status200OK, "ready")
        : Answer.Text(context, StatusCodes.Status503ServiceUnavailable, string.Join('\n', reasons));

    private IEnumerable<string> Reasons()
    {
        if (lifecycle.IsStopRequested)
        {
            return ["listend stops"];
        }

        return Unreachable().Concat(services
            .Where(runner => runner.Requests.Blocked is not null || (runner.State.IsStarted && runner.State.Ready < runner.State.Expected))
            .Select(runner => $"{runner.Name}: {runner.State.Ready} of {runner.State.Expected} workers are ready"));
    }

    /// <summary>Listeners with a socket that no client can reach: their file or their interface is gone.</summary>
    private IEnumerable<string> Unreachable()
    {
        foreach (var handle in listeners.Handles.Where(handle => handle.Spec.Address.HasName).ToArray())
        {
            drift.CheckFile(handle);
        }

        return listeners.Handles
            .SelectMany(handle => handle.Drift.Where(change => change.Name is SocketChange.File or SocketChange.Interface)
                .Select(change => $"listener {handle.Name}: {change.Name} {change.Now}"));
    }
}
