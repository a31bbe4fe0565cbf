using System.CommandLine;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// <c>take LISTENER... [--handoff H] -- COMMAND ARG...</c>: takes listeners from the broker and executes the command,
/// which receives them as a worker would. The process stays the same, so the caller waits for the command.
/// </summary>
internal sealed class TakeCommand : DaemonVerb
{
    private static readonly Dictionary<string, HandoffKind> Handoffs = new(StringComparer.Ordinal)
    {
        ["listen-fds"] = HandoffKind.ListenFds,
        ["einhorn"] = HandoffKind.Einhorn,
        ["server-starter"] = HandoffKind.ServerStarter,
        ["nginx"] = HandoffKind.Nginx,
        ["gunicorn"] = HandoffKind.Gunicorn,
        ["stdin"] = HandoffKind.Stdin,
    };

    private readonly Argument<string[]> words = new("LISTENER")
    {
        Description = "The listeners, in descriptor order; after --: the command and its arguments",
        Arity = ArgumentArity.OneOrMore,
    };


    private readonly Option<string> handoff = new("--handoff")
    {
        Description = $"How the command receives them: {string.Join(", ", Handoffs.Keys)}",
        HelpName = "H",
        DefaultValueFactory = static _ => "listen-fds",
    };

    public TakeCommand(GlobalOptions options, CommandContext context)
        : base(
            "take", "Take listeners from the daemon and execute a command with them", "LISTENER... [--handoff H] -- COMMAND ARG...",
            options, context)
    {
        Arguments.Add(words);
        Options.Add(handoff);
        handoff.AcceptOnlyFromAmong([.. Handoffs.Keys]);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var (names, command) = Split(parsed);
        var kind = Handoffs[parsed.GetValue(handoff)!];
        if (names.FirstOrDefault(name => name.StartsWith('-')) is { } option)
        {
            throw new ControlException($"unknown option \"{option}\": options of the command follow --", ExitCode.Usage);
        }

        if (names.Length == 0 || command.Length == 0)
        {
            throw new ControlException("missing listener or command: listenctl take LISTENER... -- COMMAND ARG...", ExitCode.Usage);
        }

        if (kind == HandoffKind.Stdin && names.Length != 1)
        {
            throw new ControlException($"--handoff stdin passes exactly one listener, not {names.Length}", ExitCode.Usage);
        }

        var path = ProgramPath.Find(command[0]) ?? throw new ControlException($"{command[0]}: not found in PATH", ExitCode.NotFound);
        using var answer = BrokerSession.Request(
            client, BrokerClient.TakeRequest(names, Environment.GetEnvironmentVariable(WorkerTokens.Variable)));
        HandedListener[] handed = [.. answer.Handles.Select((name, i) => Handed(name, answer.Descriptors[i]))];
        if (handed.FirstOrDefault(listener => !HandoffEnvironment.CanPass(kind, listener.Kind)) is { } unfit)
        {
            throw new ControlException(
                $"--handoff {kind.ToWireName()} cannot pass {unfit.Name}, a {unfit.Kind.Scheme()}:// listener: use listen-fds",
                ExitCode.Failed);
        }

        var environment = HandoffEnvironment.For(kind, handed, generation: 1, daemonPid: Processes.ParentPid);
        var first = environment.FirstDescriptor ?? HandoffEnvironment.ListenFdsStart;
        var failed = ChildProcess.Replace(path, command, [.. Compose(environment)], answer.Descriptors, first);
        throw new ControlException(
            $"cannot execute {path}: {failed.Name} ({failed.Text})", failed.Errno == ENOENT ? ExitCode.NotFound : ExitCode.NotExecutable);
    }

    /// <summary>The words before "--" and the words after it.</summary>
    private (string[] Names, string[] Command) Split(ParseResult parsed)
    {
        var all = parsed.GetRequiredValue(words);
        var marker = -1;
        for (var i = 0; i < parsed.Tokens.Count && marker < 0; i++)
        {
            marker = parsed.Tokens[i].Value == "--" ? i : -1;
        }

        var after = marker < 0 ? 0 : parsed.Tokens.Count - marker - 1;
        return (all[..^after], all[^after..]);
    }

    private static HandedListener Handed(string name, DescriptorHandle descriptor)
    {
        var identity = SocketIdentity.Read(descriptor);
        return new HandedListener(name, identity?.Kind ?? ListenerKind.Other, identity?.Domain ?? SocketDomain.Unix, identity?.Address);
    }

    /// <summary>The environment of this process without LISTEN_* of another supervisor, and the variables of the hand-off.</summary>
    private static IEnumerable<string> Compose(HandoffEnvironment handoff)
    {
        foreach (var (name, value) in OwnProcess.Environment)
        {
            if (!name.StartsWith("LISTEN_", StringComparison.Ordinal) && !handoff.Variables.Any(variable => variable.Key == name))
            {
                yield return $"{name}={value}";
            }
        }

        foreach (var (name, value) in handoff.Variables)
        {
            yield return $"{name}={value}";
        }

        foreach (var name in handoff.PidVariables)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{name}={Processes.CurrentPid}");
        }

        if (!handoff.PidVariables.IsEmpty && Processes.OwnPidfdInode is { } id)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{ChildProcess.PidfdVariable}={id}");
        }
    }
}
