namespace Supervisor.EndToEnd;

/// <summary>The options of the daemon under test.</summary>
internal sealed record DaemonOptions
{
    /// <summary>The executable; null for the published one.</summary>
    public string? Program { get; init; }

    /// <summary>--log-level.</summary>
    public string LogLevel { get; init; } = "information";

    /// <summary>--log-format: json, because tests wait for its fields; text only for tests of the text.</summary>
    public string LogFormat { get; init; } = "json";

    /// <summary>A command that executes the daemon, such as strace or setpriv; the daemon's command line follows.</summary>
    public IReadOnlyList<string> Wrapper { get; init; } = [];

    /// <summary>Whether the wrapper stays as the daemon's parent, which gives the daemon another pid.</summary>
    public bool WrapperStays { get; init; }

    /// <summary>Variables to add; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Instead of --config: the whole command line after "run".</summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    /// <summary>The expected exit status at the end of the test.</summary>
    public int ExitCode { get; init; }
}
