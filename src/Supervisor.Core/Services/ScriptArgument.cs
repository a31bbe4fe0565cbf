namespace Supervisor.Core.Services;

/// <summary>Which argument of a command names the script that an interpreter runs.</summary>
public static class ScriptArgument
{
    private static readonly string[] Endings =
        [".py", ".pyz", ".js", ".mjs", ".cjs", ".ts", ".rb", ".ru", ".pl", ".php", ".sh", ".lua", ".jar", ".dll", ".exs", ".escript"];

    /// <summary>
    /// The index of the first argument that is a path and ends as a script, a jar or a .NET assembly does; 0: there is none. A
    /// generation is pinned to that file as it is to its program: <c>python3 /srv/current/app.py</c>.
    /// </summary>
    public static int IndexOf(IReadOnlyList<string> command)
    {
        for (var i = 1; i < command.Count; i++)
        {
            var argument = command[i];
            if (!argument.StartsWith('-') && argument.Contains('/', StringComparison.Ordinal)
                && Array.Exists(Endings, ending => argument.EndsWith(ending, StringComparison.Ordinal)))
            {
                return i;
            }
        }

        return 0;
    }
}
