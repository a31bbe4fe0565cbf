using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Daemon.Commands;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Runtime;
using Supervisor.Daemon.Validation;
using Supervisor.Linux;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// The daemon replaces itself: the executable that is on disk now is asked, as a child and with the real state, whether it
/// can go on; only then does this process become it. Lives on the loop.
/// </summary>
/// <remarks>
/// <code>
/// Idle ── asked ──▶ Trying ── the executable answers well ──▶ Closing ── answers are given ──▶ execve()
///   ▲                 │ it does not, or not in time              │ SIGTERM meanwhile        │ refused by the kernel
///   └─────────────────┴──────────────────────────────────────────┴──────────────────────────┘
/// </code>
/// Up to execve() nothing has changed that the old one would miss: a refusal leaves it as it was. While the executable is
/// tried and answers are given, the loop goes on supervising; the state that travels is taken last, in the same turn as
/// execve(). A connection to a socket of the daemon waits in its queue meanwhile, since the socket itself goes on.
/// </remarks>
internal sealed class Upgrade
{
    /// <summary>How long the executable may take to answer, a second more for each MiB of state. It takes milliseconds; a machine can be busy.</summary>
    public static readonly TimeSpan TrialTime = TimeSpan.FromSeconds(10);

    private readonly DaemonProcess _daemon;
    private readonly Executable _executable;
    private readonly OrphanReaper _orphans;
    private readonly ConflictWatch _conflicts;
    private readonly ControlServer _control;
    private readonly Broker _broker;
    private readonly InstanceLock _claim;
    private readonly Action _flush;
    private readonly ILogger _log;

    public Upgrade(DaemonProcess daemon, Executable executable, OrphanReaper orphans, ConflictWatch conflicts, ControlServer control, Broker broker, InstanceLock claim, Action flush, ILogger log)
    {
        _daemon = daemon;
        _executable = executable;
        _orphans = orphans;
        _conflicts = conflicts;
        _control = control;
        _broker = broker;
        _claim = claim;
        _flush = flush;
        _log = log;
    }

    /// <summary>Whether an executable is tried or about to take over.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>
    /// Tries the executable. The task ends with the version that will take over, which it does as soon as the answers that
    /// are under way have been given; or with the reason why this one goes on. On the loop.
    /// </summary>
    public Task<(string? Version, string? Refusal)> BeginAsync()
    {
        var answer = new TaskCompletionSource<(string?, string?)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var refusal = IsUnderWay ? "an upgrade is under way already"
            : _daemon.IsLeaving ? "listend is leaving"
            : _daemon.Handover.IsUnderWay ? "another listend is taking over"
            : _daemon.Reloader?.IsUnderWay == true ? "a reload is under way: workers of the former configuration are still leaving; try again when they have left"
            : null;
        if (refusal is not null)
        {
            answer.SetResult((null, refusal));
            return answer.Task;
        }

        // Where the executable lies may be slow to answer.
        IsUnderWay = true;
        Task.Run(_executable.WhyNot).ContinueWith(
            asked => _daemon.Loop.Post(() =>
            {
                IsUnderWay = false;
                if ((asked.Exception?.GetBaseException().Message ?? asked.Result) is { } why)
                {
                    answer.SetResult((null, why));
                }
                else
                {
                    Try(answer);
                }
            }),
            TaskScheduler.Default);
        return answer.Task;
    }

    /// <summary>Has the executable answer with the state as it is now. On the loop.</summary>
    private void Try(TaskCompletionSource<(string? Version, string? Refusal)> answer)
    {
        if (_daemon.IsLeaving)
        {
            answer.SetResult((null, "listend is leaving"));
            return;
        }

        var state = ManifestFormat.Write(DaemonState.Of(_daemon, DaemonState.Listeners(_daemon, _conflicts, null), null, withStreams: true), _daemon.Unknown);
        using var memory = Succession.SealedMemory("listend-state", stream => stream.Write(state), out var error);
        if (memory is null)
        {
            answer.SetResult((null, $"the state cannot be written: {error}"));
            return;
        }

        IsUnderWay = true;
        var identity = _executable.Identity;
        UpgradePreflight.Run(
            _daemon.Loop,
            _orphans,
            _executable.Path,
            [.. _executable.Prefix, CheckStateCommand.Name, "--state-fd", "3", .. PathAudit.CommandLine.SelectMany(owner => new[] { "--trusted-owner", owner }), .. _daemon.ConfigFile is { } file ? (string[])["--config", file] : []],
            Environment(),
            [memory],
            TrialTime + TimeSpan.FromSeconds(state.Length >> 20),
            result =>
            {
                if (Judge(result, Convert.ToHexStringLower(SHA256.HashData(state)), out var version) is { } why)
                {
                    IsUnderWay = false;
                    _log.Kind(MessageIds.UpgradeRefused).Error("upgrade: {Executable} is not taken, this one goes on: {Reason}", _executable.Path, why);
                    _daemon.Events.Daemon("daemon-upgrade-refused", $"upgrade: {_executable.Path} is not taken, this one goes on: {why}");
                    answer.SetResult((null, why));
                    return;
                }

                _log.Kind(MessageIds.UpgradeStarted).Information("upgrade: {Executable} is listend {Version} and understands the state; it takes over", _executable.Path, version);
                answer.SetResult((version, null));
                Close(identity);
            });
    }

    /// <summary>Why the executable must not take over; null where it may.</summary>
    private string? Judge(TrialResult result, string digest, out string? version)
    {
        version = null;
        var said = result.Error.Trim() is { Length: > 0 } text ? $": {text.ReplaceLineEndings("; ")}" : "";
        if (result.Failure is { } failure)
        {
            return $"{_executable.Path}: asked whether it understands the state, {failure}{said}";
        }

        StateVerdict? verdict = null;
        try
        {
            verdict = JsonSerializer.Deserialize(result.Output, StateVerdictJson.Default.StateVerdict);
        }
        catch (JsonException)
        {
            // Anything may be at that path.
        }

        if (verdict?.Digest != digest)
        {
            return $"{_executable.Path}: asked whether it understands the state, it did not answer as listend does{said}";
        }

        version = verdict.Version;
        return null;
    }

    private void Close((ulong, ulong) identity)
    {
        var closed = _control.PauseAsync();

        // execve() ends every other thread, so what workers have left is killed before, and nothing is being received.
        closed.ContinueWith(
            _ => _daemon.Loop.Post(() => _orphans.WhenSwept(() => _daemon.Disposer.PauseReceiving(() => Execute(identity)))), TaskScheduler.Default);
    }

    private void Execute((ulong, ulong) identity)
    {
        var refusal = _daemon.IsLeaving ? "listend was asked to leave meanwhile"
            : _executable.Identity != identity ? $"{_executable.Path} has been replaced since it was tried"
            : null;
        if (refusal is null)
        {
            // What is worth saying is said before the writers end.
            _flush();
            _broker.CloseUnfinished();
            var descriptors = new OutgoingDescriptors();
            var manifest = DaemonState.Whole(_daemon, _conflicts, _control, _broker, _claim, descriptors) with
            {
                Descriptors = descriptors.All.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value.Number, StringComparer.Ordinal),
            };
            using var memory = Succession.SealedMemory("listend-state", stream => ManifestFormat.Write(stream, manifest, _daemon.Unknown), out var error);
            refusal = memory is null
                ? $"the state cannot be written: {error}"
                : Succession.Execute(
                    _executable.Path,
                    [.. _executable.Prefix, .. _executable.Arguments],
                    [.. Environment(), string.Create(CultureInfo.InvariantCulture, $"{PreviousDaemonState.ResumeVariable}={memory.Number}")],
                    [memory, .. descriptors.All.Values]).ToString();
        }

        IsUnderWay = false;
        _log.Kind(MessageIds.UpgradeFailed).Error("upgrade: {Executable} could not take over, this one goes on: {Reason}", _executable.Path, refusal);
        _daemon.Events.Daemon("daemon-upgrade-refused", $"upgrade: {_executable.Path} could not take over, this one goes on: {refusal}");
        _daemon.Disposer.ResumeReceiving();
        _control.Resume();
    }

    /// <summary>The daemon's own environment, less what was said to it at its start alone.</summary>
    private static IReadOnlyList<string> Environment() => Succession.EnvironmentWithout(
        name => name is "LISTEN_FDS" or "LISTEN_PID" or "LISTEN_FDNAMES" or "LISTEN_PIDFDID" or PreviousDaemonState.ResumeVariable);
}
