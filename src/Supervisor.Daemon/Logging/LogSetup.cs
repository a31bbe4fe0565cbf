using System.Globalization;
using Serilog;
using Serilog.Configuration;
using Serilog.Events;
using Serilog.Formatting.Compact;
using Serilog.Sinks.SystemConsole.Themes;
using Supervisor.Linux.Output;
using Supervisor.Native;

namespace Supervisor.Daemon.Logging;

/// <summary>
/// The log in the configured format. Its target may be slow or stuck (a stopped terminal, a full pipe), so a thread of its
/// own writes it. When more than <see cref="BufferedEvents"/> events wait, events are dropped and the daemon continues.
/// </summary>
internal sealed class LogSetup : IDisposable
{
    /// <summary>The number of events that may wait for the writer.</summary>
    public const int BufferedEvents = 10_000;

    private readonly BackgroundSink _sink;

    private LogSetup(Serilog.Core.Logger log, BackgroundSink sink, bool isJournal)
    {
        Log = log;
        _sink = sink;
        IsJournal = isJournal;
    }

    /// <summary>Whether the journal is the target.</summary>
    public bool IsJournal { get; }

    /// <summary>The log.</summary>
    public Serilog.Core.Logger Log { get; }

    /// <summary>The level with this name or syslog name; null for an unknown name.</summary>
    public static LogEventLevel? Level(string? name) => name?.ToLowerInvariant() switch
    {
        "verbose" or "trace" => LogEventLevel.Verbose,
        "debug" => LogEventLevel.Debug,
        "information" or "info" or "notice" => LogEventLevel.Information,
        "warning" or "warn" => LogEventLevel.Warning,
        "error" or "err" => LogEventLevel.Error,
        "fatal" or "critical" or "crit" => LogEventLevel.Fatal,
        _ => null,
    };

    /// <summary>By format (auto, text, json, journal) and level (debug, information, warning, error).</summary>
    public static LogSetup Create(string format, string level)
    {
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(Level(level) ?? LogEventLevel.Information)
            .MinimumLevel.Override(OutputLine.LogSource, LogEventLevel.Verbose);
        if (format == "auto")
        {
            format = JournalSocket.IsStandardError() ? "journal" : "text";
        }

        var written = LoggerSinkConfiguration.CreateSink(sink =>
        {
            switch (format)
            {
                case "journal":
                    sink.Sink(new LiteralTextSink(new JournalSink()));
                    break;
                case "json":
                    sink.Sink(new LiteralTextSink(LoggerSinkConfiguration.CreateSink(console =>
                        console.Console(new RenderedCompactJsonFormatter(), standardErrorFromLevel: LogEventLevel.Verbose))));
                    break;
                default:
                    sink.Sink(new EscapedTextSink(LoggerSinkConfiguration.CreateSink(console => console.Console(
                        outputTemplate: "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}",
                        formatProvider: CultureInfo.InvariantCulture,
                        standardErrorFromLevel: LogEventLevel.Verbose,
                        theme: Console.IsErrorRedirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 }
                            ? ConsoleTheme.None
                            : AnsiConsoleTheme.Sixteen))));
                    break;
            }
        });
        var background = new BackgroundSink(written, BufferedEvents);
        var setup = new LogSetup(configuration.WriteTo.Sink(background).CreateLogger(), background, format == "journal");

        // With a terminal the runtime installs its SIGCHLD handler; the daemon uses pidfds instead.
        _ = Console.Error;
        Processes.ResetChildSignal();
        return setup;
    }

    /// <summary>Waits until all events are written, at most for <see cref="BackgroundSink.Patience"/>.</summary>
    public void Flush() => _sink.Flush();

    /// <inheritdoc/>
    public void Dispose() => Log.Dispose();
}
