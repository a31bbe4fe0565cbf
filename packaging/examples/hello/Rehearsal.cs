namespace Hello;

/// <summary>
/// What this worker is told to do wrong, so that a supervisor can be watched while it copes: HELLO_START_DELAY_MS
/// (milliseconds before the host starts: a worker slow to get ready) and HELLO_FAIL (exit, hang, crash-after-ready).
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

    /// <summary>Reads HELLO_START_DELAY_MS and HELLO_FAIL; what is absent or senseless is "no delay" and "no failure".</summary>
    public static Rehearsal FromEnvironment()
    {
        var delay = int.TryParse(Environment.GetEnvironmentVariable("HELLO_START_DELAY_MS"), out var milliseconds)
            ? Math.Clamp(milliseconds, 0, 600_000)
            : 0;
        return new Rehearsal(TimeSpan.FromMilliseconds(delay), Environment.GetEnvironmentVariable("HELLO_FAIL"));
    }

    /// <summary>Delays, hangs or fails as told. Returns the exit code to leave with, or null to go on.</summary>
    public async Task<int?> BeforeStartAsync()
    {
        if (_startDelay > TimeSpan.Zero)
        {
            await Task.Delay(_startDelay);
        }

        switch (_failure)
        {
            case "exit":
                Console.Error.WriteLine("hello: HELLO_FAIL=exit: leaving with code 1 before readiness");
                return 1;
            case "hang":
                Console.Error.WriteLine("hello: HELLO_FAIL=hang: never getting ready");
                await Task.Delay(Timeout.InfiniteTimeSpan);
                return null;
            default:
                return null;
        }
    }

    /// <summary>Ends the process by SIGABRT if it was told to crash once it is ready.</summary>
    public void AfterReady()
    {
        if (_failure == "crash-after-ready")
        {
            Environment.FailFast("HELLO_FAIL=crash-after-ready");
        }
    }
}
