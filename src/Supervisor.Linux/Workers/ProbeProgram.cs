using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;
using Supervisor.Linux.Output;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// One run of the program of a probe: <c>exec:COMMAND</c>. What it writes is not logged, because it runs again and again; its last
/// line explains a failure. Lives on the loop.
/// </summary>
internal sealed class ProbeProgram
{
    /// <summary>Characters of the last line that are shown.</summary>
    private const int LongestLine = 160;

    private readonly ServiceContext _service;
    private readonly string _command;
    private readonly Action<ProbeProgram, ProbeRun> _onDone;
    private HookProcess? _process;
    private string? _lastLine;
    private bool _isKilled;

    private ProbeProgram(ServiceContext service, string command, Action<ProbeProgram, ProbeRun> onDone) =>
        (_service, _command, _onDone) = (service, command, onDone);

    /// <summary>
    /// Starts the program, and calls <paramref name="onDone"/> when it has exited. Null with the reason in <paramref name="failure"/> if it
    /// cannot be started.
    /// </summary>
    public static ProbeProgram? Start(
        ServiceContext service, ServiceSpec spec, WorkerIdentity identity, WorkerState worker, int pid, IReadOnlyList<string> command,
        FileVariables variables, Action<ProbeProgram, ProbeRun> onDone, out string? failure)
    {
        var program = new ProbeProgram(service, command[0], onDone);
        program._process = service.Spawner.Programs.StartProbe(
            spec, identity, worker, pid, command, program.Take, variables, service.Generations.PinsOf(worker.Generation), out failure);
        if (program._process is not { } process)
        {
            return null;
        }

        program.ReadLines(process.Output);
        program.ReadLines(process.Error);
        service.Loop.Watch(process.Pidfd, program.Ended);
        return program;
    }

    /// <summary>Kills it; no effect once it has exited.</summary>
    public void Kill()
    {
        _isKilled = true;
        _process?.Kill();
    }

    private void Take(OutputPiece piece)
    {
        if (piece.Text.Length > 0)
        {
            _lastLine = piece.Text;
        }
    }

    private void ReadLines(OutputPipe pipe) => _service.Loop.Watch(pipe.Descriptor, () =>
    {
        if (!pipe.Drain())
        {
            _service.Loop.Unwatch(pipe.Descriptor);
        }
    });

    private void Ended()
    {
        if (_process is not { } process || Processes.PeekExit(process.Pidfd) is not { } exit)
        {
            return;
        }

        _service.Loop.Unwatch(process.Pidfd);
        process.KillRest(() => Finish(process, exit));
    }

    private void Finish(HookProcess process, Processes.Exit exit)
    {
        process.Output.Drain();
        process.Error.Drain();
        _service.Loop.Unwatch(process.Output.Descriptor);
        _service.Loop.Unwatch(process.Error.Descriptor);
        string? unlaunched = null;
        process.Launch?.TryGetOutcome(out unlaunched);
        process.Reap();
        process.Dispose();
        _process = null;
        _onDone(this, unlaunched is not null ? ProbeRun.Unable(unlaunched) : Result(exit));
    }

    private ProbeRun Result(Processes.Exit exit)
    {
        if (exit is { Signalled: false, Status: 0 })
        {
            return ProbeRun.Passed;
        }

        var reason = exit.Signalled ? ExitReason.Signalled(exit.Status, exit.CoreDumped) : ExitReason.Exited(exit.Status);
        var ending = _isKilled ? "did not exit in time and was killed" : reason.Text;
        var said = _lastLine is { } line ? $": {Printable.Line(line.Length <= LongestLine ? line : line[..LongestLine] + "...")}" : "";
        return new ProbeRun(
            $"{Printable.Of(_command)} {ending}{said}", !exit.Signalled && exit.Status is ProbeRun.NotExecutable or ProbeRun.NotFound);
    }
}
