using System.CommandLine;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Validation;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Logging;
using Supervisor.Daemon.Runtime;
using Supervisor.Daemon.Validation;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Paths;
using Supervisor.Native;

namespace Supervisor.Listend.Commands;

/// <summary><c>listend run</c>: the daemon, in the foreground.</summary>
internal sealed class RunCommand
{
    private readonly Executable _executable;
    private readonly Option<string> _config = ConfigOptions.Config();
    private readonly Option<string> _level = new("--log-level")
    {
        Description = "The lowest level to log: debug, information, warning or error",
        HelpName = "L",
        DefaultValueFactory = _ => "information",
    };

    private readonly Option<string> _format = new("--log-format")
    {
        Description = "The log format; auto: journal under systemd, otherwise text",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<string?> _runtime = new("--runtime-directory")
    {
        Description = "The folder of control.sock and other sockets; overrides daemon.runtime_directory",
        HelpName = "PATH",
    };

    private readonly Option<string[]> _trusted = ConfigOptions.TrustedOwner();
    private readonly Option<bool> _takeOver = new("--take-over")
    {
        Description = "Take over from the listend that uses the runtime directory even if its configuration differs; with the same "
            + "configuration this is automatic",
    };

    private readonly Option<string[]> _listen = new("--listen")
    {
        Description = "Run without a configuration file: listen on this address, or on NAME=ADDRESS; may be repeated",
        HelpName = "ADDRESS",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string?> _workers = new("--workers")
    {
        Description = "With --listen: the number of workers, or \"cpus\"",
        HelpName = "N"
    };
    private readonly Option<string?> _handoff = new("--handoff")
    {
        Description = "With --listen: how workers receive their listeners: listen-fds, scm-rights, einhorn, server-starter, nginx, "
            + "gunicorn, stdin or none",
        HelpName = "H"
    };
    private readonly Option<string?> _ready = new("--ready")
    {
        Description = "With --listen: what makes a worker ready: notify, started, accepting, tcp, http:/PATH, fd:N, log:TEXT or "
            + "exec:COMMAND",
        HelpName = "R"
    };
    private readonly Argument<string[]> _command = new("command")
    {
        Description = "With --listen, after --: the command of the workers and its arguments",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private RunCommand(Executable executable)
    {
        _executable = executable;
        _format.AcceptOnlyFromAmong("auto", "text", "json", "journal");
        _level.Validators.Add(result =>
        {
            if (LogSetup.Level(result.GetValueOrDefault<string>()) is null)
            {
                result.AddError($"invalid --log-level \"{result.GetValueOrDefault<string>()}\": use debug, information, warning or error");
            }
        });
    }

    public static Command Create(Executable executable)
    {
        var options = new RunCommand(executable);
        var run = new Command("run", "Run the daemon in the foreground")
        {
            options._config, options._level, options._format, options._runtime, options._trusted, options._takeOver,
            options._listen, options._workers, options._handoff, options._ready, options._command,
        };
        run.SetAction(options.Run);
        return run;
    }

    private int Run(ParseResult parsed)
    {
        if (ReExecutedState.IsPresent)
        {
            // It continues whatever the host gives.
            ThreadReserve.TryMake();
        }
        else if (StartFault.Find() is { } missing)
        {
            StandardError.WriteLine($"listend: {missing}");
            return ExitCode.Failed;
        }

        PathAudit.CommandLine = parsed.GetValue(_trusted) ?? [];
        using var previous = ReExecutedState.Take(out var unusable);
        if (unusable is not null)
        {
            Console.Error.WriteLine($"listend: cannot continue after the re-execution: {Printable.Line(unusable)}");
            return ExitCode.Failed;
        }

        if (previous is not null)
        {
            var before = previous.Manifest.Config;
            return Start(parsed, new ConfigResult(previous.Config, []), before.File, before.RuntimeDirectory!, previous);
        }

        if (UsageError(parsed) is { } wrong)
        {
            Console.Error.WriteLine($"listend: {wrong}");
            return ExitCode.Usage;
        }

        var given = IsAdHoc(parsed) ? null : parsed.GetValue(_config)!;
        var path = string.IsNullOrEmpty(given) ? null : Path.GetFullPath(given);
        var read = Read(parsed, given);
        PathTrust.InForce = PathAudit.Trust(read.Draft.Daemon);
        var configured = ConfigLoading.Validate(read, Profile.Start);
        var directory = DirectoryOf(parsed, read);

        // A configuration with errors does not stop a start that resumes the workers of a previous daemon of the same file: the
        // configuration that was in force applies to them.
        if (!configured.Errors.IsEmpty
            && (path is null || directory is null || StateFile.Read(new RuntimePaths(directory).StateFile).Manifest?.Config.File != path))
        {
            Print(configured.Errors);
            return IsAdHoc(parsed) ? ExitCode.Usage : ExitCode.InvalidConfiguration;
        }

        if (directory is null)
        {
            Console.Error.WriteLine(
                "listend: no runtime directory: XDG_RUNTIME_DIR is not set; set it, or --runtime-directory PATH, or "
                + "daemon.runtime_directory");
            return ExitCode.Failed;
        }

        if (RuntimeDirectoryPath.TooLong(directory) is { } fault)
        {
            var isGiven = parsed.GetValue(_runtime) is not null;
            Console.Error.WriteLine(
                $"listend: {(isGiven ? "--runtime-directory" : "the runtime directory")} {Printable.Line(directory)}: {fault}; "
                + RuntimeDirectoryPath.Remedy);
            return isGiven ? ExitCode.Usage : ExitCode.Failed;
        }

        return Start(parsed, configured, path, directory, null);
    }

    private bool IsAdHoc(ParseResult parsed) => parsed.GetValue(_listen) is { Length: > 0 };

    private string? UsageError(ParseResult parsed)
    {
        var hasProgram = parsed.GetValue(_command) is { Length: > 0 };
        if (!IsAdHoc(parsed))
        {
            return hasProgram || parsed.GetValue(_workers) is not null || parsed.GetValue(_handoff) is not null
                || parsed.GetValue(_ready) is not null
                ? "--workers, --handoff, --ready and a command need --listen ADDRESS; without it they belong in the configuration file"
                : null;
        }

        return parsed.GetResult(_config) is { Implicit: false } ? "use either --listen or --config, not both"
            : hasProgram ? null
            : "--listen needs the command of the workers: listend run --listen ADDRESS -- COMMAND ARG...";
    }

    private ParsedConfig Read(ParseResult parsed, string? given) => given is not null
        ? ConfigLoading.Read(given, ConfigLoading.Context with { AwaitsGiven = true })
        : AdHocConfig.ForCommand(
            parsed.GetValue(_listen)!, parsed.GetValue(_workers), parsed.GetValue(_handoff), parsed.GetValue(_ready),
            parsed.GetValue(_command)!, ConfigLoading.Context);

    private string? DirectoryOf(ParseResult parsed, ParsedConfig read)
    {
        // A system service that does not run as root has no XDG_RUNTIME_DIR. systemd sets RUNTIME_DIRECTORY, systemd.exec(5).
        var directory = parsed.GetValue(_runtime) ?? TrustedRuntimeDirectory.Of(read.Draft)
            ?? Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY")?.Split(':')[0];
        return string.IsNullOrEmpty(directory) ? null : Path.GetFullPath(directory);
    }

    private int Start(ParseResult parsed, ConfigResult configured, string? file, string directory, PreviousDaemonState? previous)
    {
        using var logging = LogSetup.Create(parsed.GetValue(_format)!, parsed.GetValue(_level)!);
        var options = new StartOptions(
            configured, file, directory, parsed.GetValue(_runtime) is not null, parsed.GetValue(_takeOver), _executable);
        return DaemonStart.Run(options, previous, logging, () => Print(configured.Errors));
    }

    private static void Print(IEnumerable<ConfigDiagnostic> errors)
    {
        foreach (var error in errors)
        {
            Console.Error.WriteLine($"listend: {Printable.Line(error.ToString())}");
        }
    }
}
