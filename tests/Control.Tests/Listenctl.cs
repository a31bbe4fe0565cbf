using System.Text;
using Supervisor.Listenctl;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Control.Tests;

/// <summary>Runs the client in the test process, at a fixed time, and keeps its output.</summary>
internal sealed record Listenctl(int ExitCode, string Output, string Error)
{
    /// <summary>The client's clock.</summary>
    public static readonly DateTimeOffset Now = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    public static Listenctl Run(FakeDaemon daemon, params string[] args) => Run(args, daemon.SocketPath);

    public static Listenctl Run(
        string[] args,
        string? socket = null,
        Dictionary<string, string>? variables = null,
        bool isTerminal = false,
        bool isRoot = false,
        int columns = 100,
        TimeProvider? clock = null)
    {
        var output = new MemoryStream();
        var error = new StringWriter { NewLine = "\n" };
        var exitCode = ListenctlProgram.Run(
            socket is null ? args : ["--socket", socket, .. args],
            new CommandContext
            {
                Output = output,
                Error = error,
                OutputIsTerminal = isTerminal,
                Size = () => (columns, 24),
                Clock = clock ?? new FixedClock(),
                Variable = name => variables?.GetValueOrDefault(name),
                IsRoot = isRoot,
            });
        return new Listenctl(exitCode, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }

    private sealed class FixedClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
