using System.Globalization;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Protocols;
using Supervisor.Core.State;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Runtime;
using Supervisor.Linux;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The daemon's side of a takeover: another listend, started with the same runtime directory, asks for this one's place. It
/// is given the state and every descriptor, and when it says that it can go on with them, this one leaves at once and
/// touches nothing any more. Lives on the loop.
/// </summary>
/// <remarks>
/// <code>
/// Idle ── asked ──▶ Closing ── answers are given ──▶ Waiting ── commit ──▶ _exit()
///   ▲                 │ SIGTERM meanwhile              │ the successor ends, or is silent
///   └─────────────────┴────────────────────────────────┘
/// </code>
/// In Waiting the loop stands still, so that the state that the successor has is the true one: what happens meanwhile
/// (a worker ends, a client connects) happens to whoever goes on. See <see cref="SuccessionLink"/> for who that is.
/// </remarks>
internal sealed class Handover(
    DaemonProcess daemon, ConflictWatch conflicts, ControlServer control, Broker broker, InstanceLock claim, Action flush, ILogger log)
{
    /// <summary>How long a successor may take to read the state. It takes milliseconds; a machine can be busy.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Whether a successor has asked, and it is not decided.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>A successor asks. Null where it is given everything, on the connection that <paramref name="release"/> hands over; otherwise the reason. On the loop.</summary>
    public BrokerError? Begin(BrokerPeer peer, Func<DescriptorHandle> release)
    {
        if (WhyNot(peer) is { } why)
        {
            log.Kind(MessageIds.TakeoverRefused).Warning("pid {Pid} wants to take over and may not: {Reason}", peer.Pid, why);
            return new BrokerError(BrokerErrorCode.Denied, why);
        }

        IsUnderWay = true;
        log.Kind(MessageIds.TakeoverRequested).Information("listend (pid {Pid}) wants to take over", peer.Pid);
        var link = release();
        control.PauseAsync().ContinueWith(
            _ => daemon.Loop.Post(() => daemon.WhenSwept(() => daemon.Disposer.PauseReceiving(() => HandOver(link, peer.Pid)))), TaskScheduler.Default);
        return null;
    }

    private string? WhyNot(BrokerPeer peer) =>
        daemon.IsLeaving ? "it is leaving"
        : IsUnderWay ? "another one is taking over already"
        : daemon.Upgrade.IsUnderWay ? "an upgrade is under way"
        : daemon.Reloader?.IsUnderWay == true ? "a reload is under way: workers of the former configuration are still leaving; try again when they have left"
        : daemon.Services.FirstOrDefault(runner => runner.RunsHook) is { } busy ? $"a hook of service {busy.Name} runs: try again when it has ended"
        : Processes.CurrentPid == 1 ? "it is the first process of its container, which ends with it: put the new executable in its place and run \"listenctl upgrade\""
        : Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 } ? "a service manager has started it, and would take its end for the service's: use \"listenctl upgrade\", or restart its unit"
        : peer.Uid != Processes.EffectiveUid ? string.Create(CultureInfo.InvariantCulture, $"it runs as uid {Processes.EffectiveUid}, the one that would take over as uid {peer.Uid}: start that one as the same user")
        : peer.Pid <= 0 || !IsOfSameNamespace(peer.Pid) ? "the one that would take over sees other process ids: start it in the same container"
        : null;

    /// <summary>Whether process ids mean the same there as here, as far as that can be seen.</summary>
    private static bool IsOfSameNamespace(int pid) =>
        OpenFiles.ReadLink(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/pid")) is not { } there || there == OpenFiles.ReadLink("/proc/self/ns/pid");

    private void HandOver(DescriptorHandle link, int pid)
    {
        string? failure;
        using (link)
        {
            failure = daemon.IsLeaving ? "this one was asked to leave meanwhile" : Send(link) ?? SuccessionLink.AwaitCommit(link, Patience);
            if (failure is null)
            {
                // From here on it is the other one's, all of it: nothing is closed in good order, nothing removed.
                log.Kind(MessageIds.TakeoverDone).Information("listend (pid {Pid}) has taken over, and this one leaves", pid);
                flush();
                Processes.ExitNow(0);
            }
        }

        IsUnderWay = false;
        var what = string.Create(CultureInfo.InvariantCulture, $"listend (pid {pid}) has not taken over, this one goes on: {failure}");
        log.Kind(MessageIds.TakeoverFailed).Error("{What}", what);
        daemon.Events.Daemon("daemon-takeover-failed", what);
        daemon.Disposer.ResumeReceiving();
        control.Resume();
    }

    private string? Send(DescriptorHandle link)
    {
        // Written before the other one writes: lines of one worker stay in order.
        flush();
        var descriptors = new OutgoingDescriptors();
        var manifest = DaemonState.Whole(daemon, conflicts, control, broker, claim, descriptors);
        using var memory = Succession.SealedMemory("listend-state", stream => ManifestFormat.Write(stream, manifest, daemon.Unknown), out var unwritten);
        using var self = Processes.OpenPidfd(Processes.CurrentPid, out var unopened);
        if (memory is null || self is null)
        {
            return $"the state cannot be handed over: {(memory is null ? unwritten : unopened.ToString())}";
        }

        descriptors.Add(DescriptorKey.State, memory);
        descriptors.Add(DescriptorKey.Daemon, self);
        return SuccessionLink.Send(link, descriptors.All.Where(pair => DescriptorKey.IsHandedOver(pair.Key)).ToDictionary(StringComparer.Ordinal), Patience);
    }
}
