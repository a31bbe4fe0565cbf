using System.CommandLine;
using Supervisor.Config;
using Supervisor.Control;
using Supervisor.Core.Continuity;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Logging;
using Supervisor.Linux.Continuity;
using Supervisor.Native;

namespace Supervisor.Daemon.Commands;

/// <summary><c>listend run</c>: the daemon, in the foreground.</summary>
internal static class RunCommand
{
    private const int Failed = 1;
    private const int Usage = 2;

    public static Command Create(Executable executable)
    {
        var config = ConfigLoading.ConfigOption();
        var level = new Option<string>("--log-level") { Description = "The least level of what is logged: debug, information, warning or error", HelpName = "L", DefaultValueFactory = _ => "information" };
        level.Validators.Add(result =>
        {
            if (LogSetup.Level(result.GetValueOrDefault<string>()) is null)
            {
                result.AddError($"--log-level \"{result.GetValueOrDefault<string>()}\": it is one of debug, information, warning, error");
            }
        });
        var format = new Option<string>("--log-format") { Description = "How it is logged: auto is journal under systemd, else text", DefaultValueFactory = _ => "auto" };
        format.AcceptOnlyFromAmong("auto", "text", "json", "journal");
        var runtime = new Option<string?>("--runtime-directory") { Description = "Where control.sock and the rest lie; over daemon.runtime_directory", HelpName = "PATH" };
        var listen = new Option<string[]>("--listen") { Description = "Without a configuration file: an address to listen on, or NAME=ADDRESS; may be repeated", HelpName = "ADDRESS", AllowMultipleArgumentsPerToken = true };
        var workers = new Option<int?>("--workers") { Description = "With --listen: how many workers", HelpName = "N" };
        var handoff = new Option<string?>("--handoff") { Description = "With --listen: how workers take their listeners", HelpName = "H" };
        var ready = new Option<string?>("--ready") { Description = "With --listen: what makes a worker ready", HelpName = "R" };
        var command = new Argument<string[]>("command") { Description = "With --listen, after --: the worker's program and its arguments", Arity = ArgumentArity.ZeroOrMore };
        var run = new Command("run", "Runs the daemon in the foreground") { config, level, format, runtime, listen, workers, handoff, ready, command };
        run.SetAction(parsed =>
        {
            using var predecessor = Predecessor.FromExecution(out var unusable);
            if (unusable is not null)
            {
                Console.Error.WriteLine($"listend: this executable was to go on where another one was, and cannot: {unusable}");
                return Failed;
            }

            if (predecessor is not null)
            {
                return Run(predecessor.Config, predecessor.Manifest.Config.RuntimeDirectory!, predecessor.Manifest.Config.File, predecessor);
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

            var path = adHoc ? null : parsed.GetValue(config)!;
            var result = adHoc
                ? AdHocConfig.ForCommand(addresses, parsed.GetValue(workers), parsed.GetValue(handoff), parsed.GetValue(ready), program, ConfigLoading.Context)
                : ConfigLoading.LoadForStart(path!);
            var errors = result.Errors;
            if (result.Config is { } parsedConfig)
            {
                errors = errors.AddRange(Support.Check(parsedConfig, path ?? "command line"));
            }

            if (!errors.IsEmpty)
            {
                foreach (var error in errors)
                {
                    Console.Error.WriteLine($"listend: {error}");
                }

                return adHoc ? Usage : Failed;
            }

            if ((parsed.GetValue(runtime) ?? result.Config!.Daemon.RuntimeDirectory ?? RuntimePaths.Default(Processes.EffectiveUid == 0)?.Directory) is not { } directory)
            {
                Console.Error.WriteLine("listend: no runtime directory: XDG_RUNTIME_DIR is not set; set it, or give --runtime-directory PATH or daemon.runtime_directory");
                return Failed;
            }

            return Run(result.Config!, Path.GetFullPath(directory), path, null);

            int Run(ListendConfig config, string directory, string? file, Predecessor? predecessor)
            {
                using var logging = LogSetup.Create(parsed.GetValue(format)!, parsed.GetValue(level)!);
                var paths = new RuntimePaths(directory);
                string? error = null;
                using var claim = predecessor?.Descriptors.Take(DescriptorKey.Lock) is { } locked ? RuntimeClaim.Adopt(locked) : RuntimeClaim.TryTake(paths, out error);
                if (claim is null)
                {
                    logging.Log.Fatal("{Error}", error);
                    return Failed;
                }

                using var dead = predecessor is null ? Predecessor.FromRuntimeDirectory(paths, IncomingDescriptors.IsStored ? IncomingDescriptors.FromListenFds() : null, logging.Log) : null;
                if (dead?.HasOtherConfig(config) == true)
                {
                    logging.Log.Warning("the configuration has changed since the last daemon read it: what was in force stays so, until \"listenctl reload\"");
                }

                using var daemon = new Daemon(dead?.Config ?? config, paths, file, logging.Log, logging.IsJournal, logging.Flush, executable, claim, predecessor ?? dead);
                return daemon.Run();
            }
        });
        return run;
    }
}
