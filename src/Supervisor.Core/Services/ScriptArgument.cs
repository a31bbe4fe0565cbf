namespace Supervisor.Core.Services;

/// <summary>Which argument of a command names the script or the program that command[0] runs.</summary>
public static class ScriptArgument
{
    private static readonly string[] Endings =
        [".py", ".pyz", ".js", ".mjs", ".cjs", ".ts", ".rb", ".ru", ".pl", ".php", ".sh", ".lua", ".jar", ".dll", ".exs", ".escript"];

    /// <summary>Interpreters: the code itself, or a module, follows these options.</summary>
    private static readonly string[] Interpreters =
        ["python", "pypy", "node", "nodejs", "bun", "deno", "ruby", "perl", "php", "lua", "sh", "bash", "dash", "ash", "ksh", "zsh"];

    /// <summary>The end of a name with a version: <c>python3.11</c>.</summary>
    private static readonly char[] VersionCharacters = [.. "0123456789."];

    private static readonly string[] CodeOptions = ["-c", "-e", "-E", "-m", "-p", "-r", "-lc", "-ec", "-ce", "--eval", "--print"];

    /// <summary>Programs that execute the program that their arguments name.</summary>
    private static readonly string[] Wrappers =
    [
        "env", "nice", "ionice", "chrt", "taskset", "numactl", "nohup", "setsid", "setpriv", "capsh", "prlimit", "chpst", "softlimit",
        "stdbuf", "timeout", "gosu", "su-exec", "setuidgid", "tini", "dumb-init", "catatonit", "strace",
    ];

    /// <summary>
    /// The index of the argument that a generation is pinned to as it is to its program; 0: there is none. It is the first path that
    /// ends as a script, a jar or a .NET assembly does (<c>python3 /srv/current/app.py</c>). Without one it is the first path after
    /// an interpreter or a wrapper (<c>node /srv/current/bin/www</c>, <c>nice -n 5 /srv/current/run</c>).
    /// </summary>
    public static int IndexOf(IReadOnlyList<string> command)
    {
        for (var i = 1; i < command.Count; i++)
        {
            if (IsPath(command[i]) && Array.Exists(Endings, ending => command[i].EndsWith(ending, StringComparison.Ordinal)))
            {
                return i;
            }
        }

        return command.Count == 0 ? 0 : AfterLauncher(command);
    }

    private static int AfterLauncher(IReadOnlyList<string> command)
    {
        var name = command[0][(command[0].LastIndexOf('/') + 1)..];
        var isInterpreter = Array.IndexOf(Interpreters, name.TrimEnd(VersionCharacters)) >= 0;
        if (!isInterpreter && Array.IndexOf(Wrappers, name) < 0)
        {
            return 0;
        }

        for (var i = 1; i < command.Count; i++)
        {
            // After sh -c, perl -e or python3 -m, no argument is the program.
            if (isInterpreter && Array.IndexOf(CodeOptions, command[i]) >= 0)
            {
                return 0;
            }

            // A variable of env(1) is not a path.
            if (IsPath(command[i]) && !command[i].Contains('=', StringComparison.Ordinal))
            {
                return i;
            }
        }

        return 0;
    }

    private static bool IsPath(string argument) =>
        !argument.StartsWith('-') && argument.Contains('/', StringComparison.Ordinal);
}
