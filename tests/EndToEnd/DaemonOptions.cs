namespace Supervisor.EndToEnd;

/// <summary>How the daemon under test is started.</summary>
internal sealed record DaemonOptions
{
    /// <summary>The executable; null: the published one.</summary>
    public string? Program { get; init; }

    /// <summary>--log-level.</summary>
    public string LogLevel { get; init; } = "information";

    /// <summary>--log-format: json, by whose fields a test waits, unless the text is what it tests.</summary>
    public string LogFormat { get; init; } = "json";

    /// <summary>A command that executes the daemon, such as strace or setpriv; the daemon's command line follows.</summary>
    public IReadOnlyList<string> Wrapper { get; init; } = [];

    /// <summary>Whether the wrapper stays as the daemon's parent, so that the daemon has another pid.</summary>
    public bool WrapperStays { get; init; }

    /// <summary>Variables to add; null takes one out.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Instead of --config: the whole command line after "run".</summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    /// <summary>The exit status with which the daemon has to leave when the test is over.</summary>
    public int ExitCode { get; init; }
}
