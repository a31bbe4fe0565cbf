namespace Supervisor.Control;

/// <summary>Exit statuses of <c>listenctl</c> and <c>listend</c>.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>The operation failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The daemon cannot be reached.</summary>
    public const int Unreachable = 3;

    /// <summary>Not permitted.</summary>
    public const int NotPermitted = 4;

    /// <summary><c>listenctl take</c>: the program exists and cannot be executed. A shell and env(1) exit with it.</summary>
    public const int NotExecutable = 126;

    /// <summary><c>listenctl take</c>: there is no such program. A shell and env(1) exit with it.</summary>
    public const int NotFound = 127;

    /// <summary>
    /// <c>listend run</c>: the configuration is invalid, so a restart without a change fails again. EX_CONFIG of sysexits(3).
    /// </summary>
    public const int InvalidConfiguration = 78;
}
