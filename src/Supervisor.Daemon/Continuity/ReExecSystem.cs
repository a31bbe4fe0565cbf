using System.Globalization;
using Supervisor.Daemon.Validation;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Performance;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>Re-execution by memfd_create(2) and execve(2).</summary>
/// <param name="loop">The loop.</param>
/// <param name="orphans">Reaps the orphans of the check's process.</param>
/// <param name="executable">What this process was started as.</param>
/// <param name="configFile">The configuration file, which the executable checks too; null without one.</param>
/// <param name="snapshots">The state.</param>
/// <param name="broker">The broker, whose connections are passed on.</param>
/// <param name="flush">Writes the log and the workers' output: execve() ends the threads that write.</param>
internal sealed class ReExecSystem(
    EventLoop loop, OrphanReaper orphans, Executable executable, string? configFile, StateSnapshots snapshots, Broker broker, Action flush)
        : IReExecSystem
{
    /// <summary>What the check was given; null without one.</summary>
    private StateDraft? _draft;

    /// <summary>
    /// A copy of what the check was given, which becomes the state that is passed on. Another thread makes it during the check; null
    /// without a check.
    /// </summary>
    private Task<DescriptorHandle?>? _copy;

    /// <summary>How long the executable may take to check the state. It takes milliseconds; a host can be busy.</summary>
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public string Path => executable.Path;

    /// <inheritdoc/>
    public (ulong Device, ulong Inode) Identity => executable.Identity;

    /// <inheritdoc/>
    public string? CheckExecutable() => executable.Flaw();

    /// <inheritdoc/>
    public void Preflight(Action<TrialResult, Func<StateVerdict, bool>> onResult) =>
        new SlicedState(loop, stream => snapshots.ForCheck(stream, out _draft), (state, error) =>
        {
            if (state is null)
            {
                onResult(new TrialResult($"cannot write the state: {error}", "", ""), static _ => false);
                return;
            }

            _draft!.Complete(state.Memory);
            var length = state.Length;
            _copy = Task.Run(() => Succession.MemoryWithCopy(StateName, state.Memory, length));

            UpgradePreflight.Run(
                loop, orphans, executable.Path,
                [.. executable.Prefix, .. StateCheck.Arguments(StateDescriptor, PathAudit.CommandLine, configFile)],
                [.. Environment(), $"{StateVerdict.DigestVariable}={StateVerdict.CheapDigest}"], [state.Memory],
                CheckTimeout + TimeSpan.FromSeconds(state.Length >> 20),
                result =>
                {
                    using (state)
                    {
                        onResult(result, verdict => verdict.IsOf(state.Checksum, () => Succession.ReadSealed(state.Memory, out _)));
                    }
                });

            // The memory ends with execve(): a collection later would only keep clients waiting. This one runs next to the check.
            CollectionPause.Begin(snapshots.ListenerCount, BytesOfListener);
        }).Continue();

    /// <inheritdoc/>
    public string Execute()
    {
        flush();
        broker.CloseUnfinished();
        var descriptors = new OutgoingDescriptors();
        var manifest = snapshots.Whole(descriptors) with
        {
            Descriptors = descriptors.All.ToDictionary(pair => pair.Key, pair => pair.Value.Number, StringComparer.Ordinal),
        };
        var copy = _copy is { IsCompletedSuccessfully: true, Result: var made } ? made : null;
        _copy = copy is null ? _copy : null;
        if (_draft is not null)
        {
            _draft.IsCopied = copy is not null;
        }

        using var memory = Succession.SealedMemory(StateName, stream => snapshots.Write(stream, manifest, _draft), out var error, copy);
        return memory is null
            ? $"cannot write the state: {error}"
            : Succession.Execute(
                executable.Path, [.. executable.Prefix, .. executable.Arguments],
                [.. Environment(), string.Create(CultureInfo.InvariantCulture, $"{ReExecutedState.Variable}={memory.Number}")],
                [memory, .. descriptors.All.Values]).ToString();
    }

    /// <inheritdoc/>
    public void Discard()
    {
        CollectionPause.End();
        _draft?.Dispose();
        _draft = null;
        _copy?.ContinueWith(static made => made.Result?.Dispose(), TaskContinuationOptions.OnlyOnRanToCompletion);
        _copy = null;
    }

    /// <summary>The number of the first descriptor that <see cref="UpgradePreflight"/> passes on.</summary>
    private const int StateDescriptor = 3;

    /// <summary>
    /// What the state that is passed on allocates for each listener, rounded up; answers to clients during the check need a part of it.
    /// </summary>
    private const int BytesOfListener = 2 * 1024;

    private const string StateName = "listend-state";

    /// <summary>The daemon's environment without what was meant for its start only.</summary>
    private static IReadOnlyList<string> Environment() => Succession.EnvironmentWithout(
        name => name is "LISTEN_FDS" or "LISTEN_PID" or "LISTEN_FDNAMES" or "LISTEN_PIDFDID" or ReExecutedState.Variable
            or StateVerdict.DigestVariable);
}
