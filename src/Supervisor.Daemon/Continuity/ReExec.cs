using Serilog;
using Supervisor.Core;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Re-executes the daemon: a child process of the executable that is on disk now checks the real state. Only if it accepts
/// the state does this process become that executable. On the loop.
/// </summary>
/// <remarks>
/// <code>
/// Idle ── Begin ──▶ Preflight ── the executable accepts the state ──▶ Quiescent ── answers are given ──▶ execve()
///   ▲                 │ it rejects it, or times out                     │ SIGTERM                      │ refused by the kernel
///   └─────────────────┴─────────────────────────────────────────────────┴──────────────────────────────┘
/// </code>
/// execve() is the point of no return. Before it nothing has changed that the running daemon would miss, so every refusal
/// leaves it as it was. The state that is passed on is taken in the same turn of the loop as execve().
/// </remarks>
/// <param name="loop">The loop.</param>
/// <param name="lifecycle">Records the succession.</param>
/// <param name="isReloading">Whether sockets or services of the previous configuration are still in use.</param>
/// <param name="quiescence">Finishes what a successor would not know of.</param>
/// <param name="system">The operating system.</param>
/// <param name="events">Receives the event of a refusal.</param>
/// <param name="log">The log.</param>
internal sealed class ReExec(
    EventLoop loop, Lifecycle lifecycle, Func<bool> isReloading, IQuiescence quiescence, IReExecSystem system,
    EventLog events, ILogger log)
{
    /// <summary>
    /// Begins the re-execution. The task returns the new version, which is executed when the answers in progress are sent; or the reason
    /// why the running daemon continues.
    /// </summary>
    public Task<(string? Version, string? Refusal)> BeginAsync()
    {
        if (SuccessionRules.Refusal(lifecycle, isReloading()) is { } refusal)
        {
            return Task.FromResult<(string?, string?)>((null, refusal));
        }

        lifecycle.Succession = SuccessionPhase.ReExecuting;
        var answer = new TaskCompletionSource<(string?, string?)>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task.Run(system.CheckExecutable).ContinueWith(
            check => loop.Post(() =>
            {
                if ((check.Exception?.GetBaseException().Message ?? check.Result ?? ShutdownRefusal) is { } flaw)
                {
                    lifecycle.Succession = SuccessionPhase.None;
                    answer.SetResult((null, flaw));
                    return;
                }

                Preflight(answer);
            }),
            TaskScheduler.Default);
        return answer.Task;
    }

    private string? ShutdownRefusal => lifecycle.IsStopRequested ? "listend is shutting down" : null;

    private void Preflight(TaskCompletionSource<(string? Version, string? Refusal)> answer)
    {
        var identity = system.Identity;
        system.Preflight((result, isOfState) =>
        {
            if (Rejection(result, isOfState, out var version) is { } reason)
            {
                Fail(MessageIds.UpgradeRefused, $"upgrade rejected, the running daemon continues: {reason}");
                answer.SetResult((null, reason));
                return;
            }

            log.Kind(MessageIds.UpgradeStarted).Information(
                "upgrade: {Executable} is listend {Version} and accepts the state: executing it", system.Path, version);
            answer.SetResult((version, null));
            quiescence.Begin(() => Execute(identity));
        });
    }

    /// <summary>Why the executable is rejected; null with its version if it accepts the state.</summary>
    private string? Rejection(TrialResult result, Func<StateVerdict, bool> isOfState, out string? version)
    {
        version = null;
        var said = result.Error.Trim() is { Length: > 0 } text ? $": {text.ReplaceLineEndings("; ")}" : "";
        if (result.Failure is { } failure)
        {
            return $"{system.Path}: state check: {failure}{said}";
        }

        var verdict = StateVerdict.TryParse(result.Output);
        if (verdict is null || !isOfState(verdict))
        {
            return $"{system.Path}: state check: not an answer of listend{said}";
        }

        version = verdict.Version;
        return null;
    }

    private void Execute((ulong, ulong) identity)
    {
        var refusal = lifecycle.IsStopRequested ? "listend is shutting down"
            : system.Identity != identity ? $"{system.Path} was replaced after its check"
            : system.Execute();
        Fail(MessageIds.UpgradeFailed, $"upgrade failed, the running daemon continues: {system.Path}: {refusal}");
        quiescence.End();
    }

    private void Fail(string kind, string message)
    {
        system.Discard();
        lifecycle.Succession = SuccessionPhase.None;
        log.Kind(kind).Error("{Message}", message);
        events.Daemon("daemon-upgrade-refused", message);
    }
}
