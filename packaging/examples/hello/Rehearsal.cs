namespace Hello;

/// <summary>
/// Faults to simulate, so that a user can watch how listend handles them: HELLO_START_DELAY_MS (milliseconds before the host
/// starts, a worker that is slow to become ready) and HELLO_FAIL (exit, hang, crash-after-ready).
/// </summary>
internal sealed class Rehearsal
{
    private readonly TimeSpan _startDelay;
    private readonly string? _failure;

    private Rehearsal(TimeSpan startDelay, string? failure)
    {
        _startDelay = startDelay;
        _failure = failure;
    }

    /// <summary>Reads HELLO_START_DELAY_MS and HELLO_FAIL; absent or invalid values mean no delay and no failure.</summary>
    public static Rehearsal FromEnvironment()
    {
        var delay = int.TryParse(Environment.GetEnvironmentVariable("HELLO_START_DELAY_MS"), out var milliseconds)
            ? Math.Clamp(milliseconds, 0, 600_000)
            : 0;
        return new Rehearsal(TimeSpan.FromMilliseconds(delay), Environment.GetEnvironmentVariable("HELLO_FAIL"));
    }

    /// <summary>Delays, hangs or fails as configured. Returns the exit code, or null to continue.</summary>
    public async Task<int?> BeforeStartAsync()
    {
        if (_startDelay > TimeSpan.Zero)
        {
            await Task.Delay(_startDelay);
        }

        switch (_failure)
        {
            case "exit":
                Console.Error.WriteLine("hello: HELLO_FAIL=exit: exiting with code 1 before readiness");
                return 1;
            case "hang":
                Console.Error.WriteLine("hello: HELLO_FAIL=hang: not becoming ready");
                await Task.Delay(Timeout.InfiniteTimeSpan);
                return null;
            default:
                return null;
        }
    }

    /// <summary>Aborts the process with SIGABRT for HELLO_FAIL=crash-after-ready.</summary>
    public void AfterReady()
    {
        if (_failure == "crash-after-ready")
        {
            Environment.FailFast("HELLO_FAIL=crash-after-ready");
        }
    }
}
