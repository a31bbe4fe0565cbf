using System.Globalization;

namespace Supervisor.EndToEnd.Faults;

/// <summary>
/// strace on the daemon's main thread, which owns all state and is the only one that spawns, saves and signals. Records the
/// order of its system calls, or kills the process at one of them, before the kernel executes it.
/// </summary>
internal sealed class CallTrap : IAsyncDisposable
{
    /// <summary>
    /// The calls that change something which outlives the process, or that consume something which cannot be consumed
    /// twice.
    /// </summary>
    public const string Calls =
        "bind,listen,connect,chmod,unlink,clone,execve,memfd_create,renameat,sendmsg,recvmsg,pidfd_send_signal,kill,waitid,accept4,bpf,"
        + "shutdown";

    private readonly RunningProgram _strace;

    private CallTrap(RunningProgram strace) => _strace = strace;

    /// <summary>Kills the process at its <paramref name="nth"/> further call (from 1) with this name.</summary>
    public static Task<CallTrap> SetAsync(int pid, string call, int nth) => AttachAsync(pid, Deadly(call, nth));

    /// <summary>Records the calls in a file, one per line.</summary>
    public static Task<CallTrap> RecordAsync(int pid, string file) => AttachAsync(pid, Recording(file));

    /// <summary>A wrapper that kills a daemon at its nth call after its start.</summary>
    public static IReadOnlyList<string> Wrapper(string call, int nth) => [Program, "-qqq", .. Deadly(call, nth)];

    /// <summary>A wrapper that records the calls.</summary>
    public static IReadOnlyList<string> Wrapper(string file) => [Program, "-qqq", .. Recording(file)];

    /// <summary>The calls of a recording, each with its number among the calls of its name.</summary>
    public static IReadOnlyList<(string Call, int Nth)> Steps(string file)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var steps = new List<(string, int)>();
        foreach (var line in File.ReadLines(file))
        {
            var end = line.IndexOf('(', StringComparison.Ordinal);
            if (end > 0 && line[..end] is { } call && call.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_'))
            {
                counts[call] = counts.GetValueOrDefault(call) + 1;
                steps.Add((call, counts[call]));
            }
        }

        return steps;
    }

    /// <summary>Detaches from the process, if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_strace.HasEnded)
        {
            _strace.Signal(Signals.Terminate);
            await _strace.WaitAsync();
        }

        await _strace.DisposeAsync();
    }

    private static string Program => Needs.Program("strace", "strace");

    private static IReadOnlyList<string> Deadly(string call, int nth) =>
        ["-e", $"trace={call}", "-e", $"inject={call}:signal=SIGKILL:when={nth}", "-o", "/dev/null"];

    private static IReadOnlyList<string> Recording(string file) => ["-e", $"trace={Calls}", "-e", "signal=none", "-o", file];

    // Without -f: only the thread whose id is the process's.
    private static async Task<CallTrap> AttachAsync(int pid, IReadOnlyList<string> what)
    {
        var strace = RunningProgram.Start(Program, [.. what, "-p", pid.ToString(CultureInfo.InvariantCulture)]);
        await strace.Error.WaitAsync(0, "attached");
        return new CallTrap(strace);
    }
}
