using System.Globalization;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;

namespace Supervisor.Linux.Workers;

/// <summary>Starts the programs of a service that are not workers: hooks and probes. They get no listeners. Main thread only.</summary>
internal sealed class ProgramSpawner(
    ProgramLauncher launcher, WorkerEnvironments environments, string brokerPath, WorkerTokens tokens, OrphanReaper? orphans)
{
    /// <summary>
    /// Spawns a hook: as the service's user, with its environment, without listeners. The caller watches and disposes the
    /// process, whose program may not have been executed yet. On failure the result is null and <paramref name="failure"/> has
    /// the reason.
    /// </summary>
    public HookProcess? StartHook(
        ServiceSpec spec, WorkerIdentity identity, HookKind hook, int generation, IReadOnlyList<string> command,
        Action<OutputPiece> onOutput, Action<OutputPiece> onError, FileVariables fromFiles, GenerationPins pins, out string? failure) =>
        StartProgram(
            spec, identity, command, [new("LISTEND_HOOK", hook.Setting()["hooks.".Length..])], generation, slot: null, onOutput, onError,
            fromFiles, pins, out failure);

    /// <summary>
    /// Spawns the program of a probe of a worker, as <see cref="StartHook"/> does. LISTEND_WORKER has the slot, and
    /// LISTEND_WORKER_PID the main process.
    /// </summary>
    public HookProcess? StartProbe(
        ServiceSpec spec, WorkerIdentity identity, WorkerState worker, int pid, IReadOnlyList<string> command, Action<OutputPiece> onOutput,
        FileVariables fromFiles, GenerationPins pins, out string? failure)
    {
        var placeholders = new Placeholders(spec.Name, worker.Generation, worker.Slot, []);
        return StartProgram(
            spec, identity, [.. command.Select(placeholders.Expand)],
            [
                new("LISTEND_WORKER", worker.Slot.ToString(CultureInfo.InvariantCulture)),
                new("LISTEND_WORKER_PID", pid.ToString(CultureInfo.InvariantCulture)),
            ],
            worker.Generation, worker.Slot, onOutput, onOutput, fromFiles, pins, out failure);
    }

    private HookProcess? StartProgram(
        ServiceSpec spec, WorkerIdentity identity, IReadOnlyList<string> command, IReadOnlyList<KeyValuePair<string, string>> more,
        int generation, int? slot, Action<OutputPiece> onOutput, Action<OutputPiece> onError, FileVariables fromFiles, GenerationPins pins,
        out string? failure)
    {
        var environment = environments.Of(spec, identity, fromFiles);
        KeyValuePair<string, string>[] own =
        [
            .. environment.Expanded(new Placeholders(spec.Name, generation, slot ?? 0, [])),
            new("LISTEND_SERVICE", spec.Name),
            new("LISTEND_GENERATION", generation.ToString(CultureInfo.InvariantCulture)),
            .. more,
            new("LISTEND_BROKER", brokerPath),
            new(WorkerTokens.Variable, tokens.New()),
        ];
        var child = launcher.Launch(
            spec, identity, command, environment.With(own), environment.Path, [], [], HandoffEnvironment.ListenFdsStart,
            isOneOfMany: false, pins.Hook, out failure);
        if (child is null)
        {
            return null;
        }

        var (output, error) = (new OutputPipe(child.Output!, onOutput), new OutputPipe(child.Error, onError));
        return new HookProcess(child.Pid, child.Pidfd, output, error, orphans) { Launch = child.Launch };
    }
}
