using System.Text;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>The result of a preflight.</summary>
/// <param name="Failure">Why it failed; null if the program exited with status 0 in time.</param>
/// <param name="Output">What it wrote to standard output.</param>
/// <param name="Error">What it wrote to standard error.</param>
public sealed record TrialResult(string? Failure, string Output, string Error);

/// <summary>
/// Runs a program with a timeout and collects its output. A pidfd reports its exit; then the rest of its session is killed. On
/// the loop, which never waits for it.
/// </summary>
public sealed class UpgradePreflight : IDeadline, IDisposable
{
    private const int MostCharacters = 32 * 1024;

    private readonly EventLoop _loop;
    private readonly OrphanReaper? _orphans;
    private readonly Action<TrialResult> _onEnded;
    private readonly TimeSpan _timeout;
    private readonly bool _leavesProcesses;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private HookProcess? _process;
    private bool _timedOut;

    private UpgradePreflight(
        EventLoop loop, OrphanReaper? orphans, TimeSpan timeout, Action<TrialResult> onEnded, bool leavesProcesses)
    {
        _loop = loop;
        _orphans = orphans;
        _timeout = timeout;
        _leavesProcesses = leavesProcesses;
        _onEnded = onEnded;
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <summary>
    /// Starts the program, with <paramref name="passed"/> as descriptors from 3. Calls <paramref name="onEnded"/> once, on the
    /// loop. What is left of its session is killed, unless it <paramref name="leavesProcesses"/> on purpose. Main thread only.
    /// </summary>
    /// <remarks>Without <paramref name="orphans"/>, no reaper of orphans may run: it would reap the program and hide its end.</remarks>
    public static void Run(
        EventLoop loop, OrphanReaper? orphans, string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment,
        IReadOnlyList<DescriptorHandle> passed, TimeSpan timeout, Action<TrialResult> onEnded, bool leavesProcesses = false)
    {
        var trial = new UpgradePreflight(loop, orphans, timeout, onEnded, leavesProcesses);
        if (trial.Start(path, arguments, environment, passed) is { } failure)
        {
            loop.Post(() => onEnded(new TrialResult(failure, "", "")));
        }
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        NextDeadline = null;
        _timedOut = true;
        _process?.Kill();
    }

    /// <summary>Stops watching; a program that still runs continues.</summary>
    public void Dispose()
    {
        if (_process is { } process)
        {
            _loop.Unwatch(process.Pidfd);
            _loop.Unwatch(process.Output.Descriptor);
            _loop.Unwatch(process.Error.Descriptor);
            _loop.Remove(this);
            process.Dispose();
            _process = null;
        }
    }

    private string? Start(
        string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, IReadOnlyList<DescriptorHandle> passed)
    {
        const int readWrite = 2;
        using var nothing = Files.Open("/dev/null", readWrite, 0, out var error);
        if (nothing is null)
        {
            return $"opening /dev/null: {error}";
        }

        DescriptorHandle? errors = null;
        DescriptorHandle? errorEnd = null;
        var refused = Files.Pipe(out var output, out var outputEnd) ?? Files.Pipe(out errors, out errorEnd);
        using (outputEnd)
        using (errorEnd)
        {
            ChildProcess.Failure step = default;
            var launched = refused is not null ? null : ChildProcess.Start(
                new ChildProcess.Plan
                {
                    Path = path,
                    Arguments = arguments,
                    Environment = environment,
                    Descriptors = [nothing, outputEnd!, errorEnd!, .. passed],
                },
                out step);
            if (launched is not { } child)
            {
                output?.Dispose();
                errors?.Dispose();
                return refused is { } pipe ? $"making a pipe: {pipe}" : Unlaunched(step);
            }

            ChildProcess.Finish();
            _process = new HookProcess(child.Pid, child.Pidfd, new OutputPipe(output!, piece => Take(_output, piece.Text)),
                new OutputPipe(errors!, piece => Take(_error, piece.Text)), _orphans)
            {
                Launch = new PendingLaunch(child, Unlaunched),
                LeavesProcesses = _leavesProcesses,
            };
        }

        NextDeadline = _loop.Now + _timeout;
        _loop.Add(this);
        ReadLines(_process.Output);
        ReadLines(_process.Error);
        _loop.Watch(_process.Pidfd, Ended);
        return null;
    }

    private void Ended()
    {
        if (_process is not { } process || Processes.PeekExit(process.Pidfd) is not { } exit)
        {
            return;
        }

        _loop.Unwatch(process.Pidfd);
        NextDeadline = null;
        process.KillRest(() => Finish(process, exit));
    }

    private void Finish(HookProcess process, Processes.Exit exit)
    {
        if (_process != process)
        {
            return;
        }

        process.Output.Drain();
        process.Error.Drain();
        process.Reap();
        string? unlaunched = null;
        process.Launch?.TryGetOutcome(out unlaunched);
        Dispose();
        var reason = exit.Signalled ? ExitReason.Signalled(exit.Status, exit.CoreDumped) : ExitReason.Exited(exit.Status);
        _onEnded(new TrialResult(
            unlaunched ?? (_timedOut ? $"timed out after {_timeout.TotalSeconds:0.#} s, killed"
                : exit is { Signalled: false, Status: 0 } ? null : reason.Text),
            _output.ToString(),
            _error.ToString()));
    }

    private static string Unlaunched(ChildProcess.Failure step) =>
        $"cannot execute it: {new SystemCallError("execve", step.Errno).Name} ({new SystemCallError("execve", step.Errno).Text})";

    private void ReadLines(OutputPipe pipe) => _loop.Watch(pipe.Descriptor, () =>
    {
        if (!pipe.Drain())
        {
            _loop.Unwatch(pipe.Descriptor);
        }
    });

    private static void Take(StringBuilder text, string line)
    {
        if (text.Length + line.Length < MostCharacters)
        {
            text.Append(line).Append('\n');
        }
    }
}
