using System.CommandLine;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Validation;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Logging;
using Supervisor.Daemon.Runtime;
using Supervisor.Daemon.Validation;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Paths;
using Supervisor.Native;

namespace Supervisor.Daemon.Commands;

/// <summary><c>listend run</c>: the daemon, in the foreground.</summary>
internal static class RunCommand
{
    private const int Failed = 1;
    private const int Usage = 2;

    public static Command Create(Executable executable)
    {
        var config = ConfigOptions.Config();
        var level = new Option<string>("--log-level")
        {
            Description = "The lowest level to log: debug, information, warning or error",
            HelpName = "L",
            DefaultValueFactory = _ => "information",
        };
        level.Validators.Add(result =>
        {
            if (LogSetup.Level(result.GetValueOrDefault<string>()) is null)
            {
                result.AddError($"invalid --log-level \"{result.GetValueOrDefault<string>()}\": use debug, information, warning or error");
            }
        });
        var format = new Option<string>("--log-format") { Description = "The log format; auto: journal under systemd, otherwise text", DefaultValueFactory = _ => "auto" };
        format.AcceptOnlyFromAmong("auto", "text", "json", "journal");
        var runtime = new Option<string?>("--runtime-directory")
        {
            Description = "The folder of control.sock and other sockets; overrides daemon.runtime_directory",
            HelpName = "PATH",
        };
        var trusted = ConfigOptions.TrustedOwner();
        var takeOver = new Option<bool>("--take-over")
        {
            Description = "Take over from the listend that uses the runtime directory even if its configuration differs; with the same configuration this is automatic",
        };
        var listen = new Option<string[]>("--listen")
        {
            Description = "Run without a configuration file: listen on this address, or on NAME=ADDRESS; may be repeated",
            HelpName = "ADDRESS",
            AllowMultipleArgumentsPerToken = true,
        };
        var workers = new Option<string?>("--workers") { Description = "With --listen: the number of workers, or \"cpus\"", HelpName = "N" };
        var handoff = new Option<string?>("--handoff") { Description = "With --listen: how workers receive their listeners", HelpName = "H" };
        var ready = new Option<string?>("--ready") { Description = "With --listen: how a worker becomes ready", HelpName = "R" };
        var command = new Argument<string[]>("command")
        {
            Description = "With --listen, after --: the command of the workers and its arguments",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var run = new Command("run", "Run the daemon in the foreground") { config, level, format, runtime, trusted, takeOver, listen, workers, handoff, ready, command };
        run.SetAction(parsed =>
        {
            PathAudit.CommandLine = parsed.GetValue(trusted) ?? [];
            using var predecessor = PreviousDaemonState.FromExecution(out var unusable);
            if (unusable is not null)
            {
                Console.Error.WriteLine($"listend: this executable was to go on where another one was, and cannot: {Printable.Line(unusable)}");
                return Failed;
            }

            if (predecessor is not null)
            {
                return Run(new ConfigResult(predecessor.Config, []), predecessor.Manifest.Config.RuntimeDirectory!, predecessor.Manifest.Config.File, predecessor);
            }

            var addresses = parsed.GetValue(listen) ?? [];
            var program = parsed.GetValue(command) ?? [];
            var adHoc = addresses.Length > 0;
            if (!adHoc && (program.Length > 0 || parsed.GetValue(workers) is not null || parsed.GetValue(handoff) is not null || parsed.GetValue(ready) is not null))
            {
                Console.Error.WriteLine("listend: --workers, --handoff, --ready and a command go with --listen ADDRESS; without it everything stands in the configuration file");
                return Usage;
            }

            if (adHoc && parsed.GetResult(config) is { Implicit: false })
            {
                Console.Error.WriteLine("listend: --listen and --config exclude each other: the one is a configuration without a file");
                return Usage;
            }

            if (adHoc && program.Length == 0)
            {
                Console.Error.WriteLine("listend: --listen needs the worker's program: listend run --listen ADDRESS -- COMMAND ARG...");
                return Usage;
            }

            var given = adHoc ? null : parsed.GetValue(config)!;
            var path = string.IsNullOrEmpty(given) ? null : Path.GetFullPath(given);
            var read = adHoc
                ? AdHocConfig.ForCommand(addresses, parsed.GetValue(workers), parsed.GetValue(handoff), parsed.GetValue(ready), program, ConfigLoading.Context)
                : ConfigLoading.Read(given!, ConfigLoading.Context with { AwaitsGiven = true });
            PathTrust.InForce = PathAudit.Trust(read.Draft.Daemon);
            var wanted = ConfigLoading.Validate(read, Profile.Start);
            var directory = parsed.GetValue(runtime) ?? TrustedRuntimeDirectory.Of(read.Draft);

            // A service of another user has no XDG_RUNTIME_DIR; what systemd made for its unit it says here (systemd.exec(5), RuntimeDirectory=).
            directory ??= Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY")?.Split(':')[0];
            directory = string.IsNullOrEmpty(directory) ? null : Path.GetFullPath(directory);

            // What a daemon of that file has left goes on by what was in force: its workers serve, and nobody else watches them.
            if (!wanted.Errors.IsEmpty && (path is null || directory is null || PreviousDaemonState.Peek(new RuntimePaths(directory))?.Config.File != path))
            {
                return Refuse(wanted.Errors, adHoc ? Usage : Failed);
            }

            if (directory is null)
            {
                Console.Error.WriteLine("listend: no runtime directory: XDG_RUNTIME_DIR is not set; set it, or give --runtime-directory PATH or daemon.runtime_directory");
                return Failed;
            }

            return Run(wanted, directory, path, null);

            static int Refuse(IEnumerable<ConfigDiagnostic> errors, int status)
            {
                foreach (var error in errors)
                {
                    Console.Error.WriteLine($"listend: {Printable.Line(error.ToString())}");
                }

                return status;
            }

            int Run(ConfigResult wanted, string directory, string? file, PreviousDaemonState? predecessor)
            {
                var config = wanted.Errors.IsEmpty ? wanted.Config : null;
                using var logging = LogSetup.Create(parsed.GetValue(format)!, parsed.GetValue(level)!);
                var paths = new RuntimePaths(directory);
                string? error = null;
                PreviousDaemonState? former = null;
                using var claim = predecessor?.Descriptors.Take(DescriptorKey.Lock) is { } locked
                    ? InstanceLock.Adopt(locked)
                    : Takeover.Claim(paths, config, file, parsed.GetValue(takeOver), logging.Log, out former, out error);
                if (claim is null)
                {
                    logging.Log.Kind(MessageIds.DaemonRefused).Fatal("{Error}", error);
                    return Refuse(wanted.Errors, Failed);
                }

                string? refusal = null;
                using var before = predecessor ?? former ?? PreviousDaemonState.FromRuntimeDirectory(paths, IncomingDescriptors.IsStored ? IncomingDescriptors.FromListenFds() : null, logging.Log, out refusal);
                if (refusal is not null)
                {
                    logging.Log.Kind(MessageIds.DaemonRefused).Fatal("{Error}", refusal);
                    return Failed;
                }

                if ((before?.Config ?? config) is not { } inForce)
                {
                    return Refuse(wanted.Errors, Failed);
                }

                PathTrust.InForce = PathAudit.Trust(inForce.Daemon);
                using var daemon = new DaemonProcess(inForce, paths, file, logging.Log, logging.IsJournal, logging.Flush, executable, claim, before)
                {
                    IsDirectoryGiven = parsed.GetValue(runtime) is not null,

                    // Upgrading is no reason to read the configuration again, starting is one.
                    Wanted = before is { IsSameProcess: false } && (config is null || before.HasOtherConfig(config)) ? wanted : null,
                };
                return daemon.Run();
            }
        });
        return run;
    }
}
