using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Validation;

/// <summary>
/// A command that starts a shell, which does not replace itself by the program: the shell is the worker's main process then. Only a
/// warning, because the worker's other processes are stopped and waited for too.
/// </summary>
internal static class ShellCommands
{
    private static readonly HashSet<string> Shells = ["sh", "dash", "ash", "bash", "rbash", "zsh", "ksh", "ksh93", "mksh", "lksh", "yash"];

    /// <summary>Shells that execute the only program of a <c>-c</c> text without a fork.</summary>
    private static readonly HashSet<string> Replacing = ["bash", "rbash", "zsh", "ksh", "ksh93", "mksh", "lksh", "yash"];

    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from service in config.Services
        let found = Find(service.Spec.Command)
        where found is not null
        select service.Diagnostic(
            "command",
            $"{Quoted.Text(found.Value.Shell)} stays the worker's main process, because it does not replace itself by a program with exec: "
            + "a shell neither sends READY=1 nor finishes connections, and listend takes its exit for the worker's",
            found.Value.Program is { } program
                ? $"write exec before the program: {Example(program)}; or name the program without a shell"
                : "end the text with exec and a program, or name the program without a shell") with
        {
            IsWarning = true,
        };

    /// <summary>The shell that stays, and the last program of its text, null for none; null if no shell stays.</summary>
    internal static (string Shell, IReadOnlyList<string>? Program)? Find(IReadOnlyList<string> command)
    {
        var words = WithoutWrappers(command);
        if (words.Length == 0 || NameOf(words[0]) is var shell && !Shells.Contains(shell) || Text(words[1..]) is not { } text)
        {
            return null;
        }

        var script = ShellScript.Parse(text);
        return script.Last.Count == 0 || script.Execs || (Replacing.Contains(shell) && script.EndsWithItsOnlyProgram)
            ? null
            : (shell, script.Program);
    }

    /// <summary>The command after programs that only prepare it: env, nice, nohup, and busybox before its applet.</summary>
    private static string[] WithoutWrappers(IReadOnlyList<string> command)
    {
        var words = command.ToArray();
        while (words.Length > 0 && NameOf(words[0]) is "env" or "nice" or "nohup" or "busybox" or "ionice" or "stdbuf")
        {
            var isEnv = NameOf(words[0]) == "env";
            var at = 1;
            while (at < words.Length && (words[at].StartsWith('-') || (isEnv && words[at].Contains('=', StringComparison.Ordinal))))
            {
                // An option whose value is the next word: env -u NAME and -C DIR, nice -n N, ionice -c CLASS, stdbuf -o MODE.
                at += words[at] is ['-', 'u' or 'C' or 'n' or 'c' or 'i' or 'o' or 'e'] && words[at] is not "-i" ? 2 : 1;
            }

            words = words[Math.Min(at, words.Length)..];
        }

        return words;
    }

    /// <summary>The text of <c>-c</c>; null if the shell runs a file.</summary>
    private static string? Text(string[] arguments)
    {
        var hasText = false;
        for (var i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--":
                    return hasText && i + 1 < arguments.Length ? arguments[i + 1] : null;
                case ['-', '-', ..]:
                    break;
                case ['-' or '+', _, ..] option:
                    hasText |= option[0] == '-' && option.Contains('c', StringComparison.Ordinal);
                    i += option[^1] is 'o' or 'O' ? 1 : 0;
                    break;
                default:
                    return hasText ? arguments[i] : null;
            }
        }

        return null;
    }

    private static string NameOf(string path) => Path.GetFileName(path);

    private static string Example(IReadOnlyList<string> last)
    {
        const int most = 60;
        var text = "exec " + string.Join(' ', last);
        return Quoted.Text(text.Length > most ? text[..most] + "..." : text);
    }
}
