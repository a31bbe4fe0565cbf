using System.Globalization;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Protocols;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Reports;
using Supervisor.Linux;
using Supervisor.Linux.Handoff;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The running daemon's side of a take-over. Another listend, started with the same runtime directory, requests it and gets the state
/// and every descriptor. When the successor commits, this process exits at once and changes nothing any more. On the loop.
/// </summary>
/// <remarks>
/// <code>
/// Idle ── asked ──▶ Quiescent ── answers are given ──▶ Waiting ── commit ──▶ _exit()
///   ▲                 │ SIGTERM                          │ the successor exits, or times out
///   └─────────────────┴──────────────────────────────────┘
/// </code>
/// The loop does not run while this daemon waits for the commit, so the state that the successor has stays valid. The daemon that
/// continues handles what happens in the meantime (a worker exits, a client connects). The commit packet is the point of no
/// return: see <see cref="Linux.Continuity.SuccessionLink"/>.
/// </remarks>
/// <param name="lifecycle">Records the succession.</param>
/// <param name="isReloading">Whether sockets or services of the previous configuration are still in use.</param>
/// <param name="quiescence">Finishes what a successor would not know of.</param>
/// <param name="system">The operating system, and what is handed over.</param>
/// <param name="events">Receives the event of a failure.</param>
/// <param name="log">The log.</param>
internal sealed class LiveTakeover(
    Lifecycle lifecycle, Func<bool> isReloading, IQuiescence quiescence, ITakeoverSystem system, EventLog events, ILogger log)
{
    /// <summary>How long each step of the successor may take. It takes milliseconds; a host can be busy.</summary>
    public static readonly TimeSpan StepTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Begins the take-over that a successor requests, on the connection that <paramref name="release"/> returns. Null, or why the
    /// request is refused.
    /// </summary>
    public BrokerError? Begin(BrokerPeer peer, Func<DescriptorHandle> release)
    {
        if ((SuccessionRules.Refusal(lifecycle, isReloading()) ?? system.Objection(peer)) is { } reason)
        {
            log.Kind(MessageIds.TakeoverRefused).Warning("take-over by pid {Pid} refused: {Reason}", peer.Pid, reason);
            return new BrokerError(BrokerErrorCode.Denied, reason);
        }

        lifecycle.Succession = SuccessionPhase.HandingOver;
        log.Kind(MessageIds.TakeoverRequested).Information("listend (pid {Pid}) asks to take over", peer.Pid);
        var link = release();
        quiescence.Begin(() => HandOver(link, peer.Pid));
        return null;
    }

    private void HandOver(DescriptorHandle link, int pid)
    {
        string? failure;
        using (link)
        {
            failure = lifecycle.IsStopRequested ? "the running daemon is shutting down" : system.Send(link) ?? system.AwaitCommit(link);
            if (failure is null)
            {
                // The successor owns everything now: this process closes and removes nothing.
                log.Kind(MessageIds.TakeoverDone).Information("listend (pid {Pid}) has taken over: this daemon exits", pid);
                system.Exit();
                return;
            }
        }

        lifecycle.Succession = SuccessionPhase.None;
        var message = string.Create(
            CultureInfo.InvariantCulture, $"take-over by listend (pid {pid}) failed, the running daemon continues: {failure}");
        log.Kind(MessageIds.TakeoverFailed).Error("{Message}", message);
        events.Daemon("daemon-takeover-failed", message);
        quiescence.End();
    }
}
