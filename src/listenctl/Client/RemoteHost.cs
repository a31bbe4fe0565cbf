using System.Text.RegularExpressions;
using Supervisor.Control;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Client;

/// <summary>
/// <c>-H [USER@]HOST</c>: listenctl runs on another host. ssh(1) executes it there with the same arguments, so its output, its exit
/// status and the files that it reads are those of that host.
/// </summary>
internal sealed partial class RemoteHost(string host, CommandContext context)
{
    /// <summary>The exit status of ssh when it could not run the command.</summary>
    private const int SshFailed = 255;

    /// <summary>Why ssh would not read this as the name of a host; null if it would.</summary>
    public static string? Fault(string host) =>
        host.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)) ? "it has a space or a control character"
        : host.StartsWith('-') || host.Contains("@-", StringComparison.Ordinal) ? "it begins with \"-\""
        : host.Length == 0 || host[^1] == '@' || host[0] == '@' ? "the user or the host is missing"
        : null;

    /// <summary>
    /// Runs the command line on the host and returns its exit status.
    /// <see cref="ControlException"/> with exit status 3 if it could not run there.
    /// </summary>
    /// <param name="args">The arguments of this process.</param>
    /// <param name="becomesProgram">Whether listenctl there becomes another program, which may exit as a shell does.</param>
    public int Run(IReadOnlyList<string> args, bool becomesProgram)
    {
        // With a terminal on the host, listenctl there measures, colours and gets Ctrl-C as here. ssh would report its end.
        // Without one, only another program reads standard input: a loop over the lines of a file keeps its lines.
        string[] terminal = context.HasTerminal ? ["-t", "-o", "LogLevel=ERROR"] : becomesProgram ? ["-T"] : ["-T", "-n"];
        var status = context.RunProgram(["ssh", "-x", .. terminal, "--", host, CommandLine(args)], out var reason)
            ?? throw Unreachable($"cannot execute ssh: {reason}", "Install it, for example with \"apt-get install openssh-client\".");
        return status switch
        {
            SshFailed => throw Unreachable("ssh failed", $"Its message is above. Check that \"ssh {Word(host)} true\" works."),
            ExitCode.NotFound or ExitCode.NotExecutable when !becomesProgram => throw Unreachable(
                "its shell cannot run listenctl", "Install listend there, in a folder of the PATH that ssh sets."),
            _ => status,
        };
    }

    /// <summary>The command line for the host's shell: these arguments without the option that names the host.</summary>
    internal static string CommandLine(IReadOnlyList<string> args)
    {
        var words = new List<string> { "listenctl" };
        for (var i = 0; i < args.Count; i++)
        {
            if (args[i] == "--")
            {
                words.AddRange(args.Skip(i));
                break;
            }

            if (args[i] is "-H" or "--host")
            {
                i++;
            }
            else if (!args[i].StartsWith("-H", StringComparison.Ordinal) && !JoinedHost().IsMatch(args[i]))
            {
                words.Add(args[i]);
            }
        }

        return string.Join(' ', words.Select(Word));
    }

    /// <summary>A word as a shell reads it: quoted where the shell would change it.</summary>
    private static string Word(string text) =>
        PlainWord().IsMatch(text) ? text : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private ControlException Unreachable(string what, string remedy) =>
        new($"cannot run listenctl on {host}: {what}\n{remedy}", ExitCode.Unreachable);

    [GeneratedRegex("^--host[=:]")]
    private static partial Regex JoinedHost();

    [GeneratedRegex(@"\A[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*\z")]
    private static partial Regex PlainWord();
}
