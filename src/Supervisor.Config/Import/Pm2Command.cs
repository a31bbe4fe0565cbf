using Supervisor.Config.Values;

namespace Supervisor.Config.Import;

/// <summary>The command of an app: interpreter, its arguments, script, arguments.</summary>
internal sealed record Pm2Command(IReadOnlyList<string> Words, string? Remark)
{
    /// <summary>The command; null if a quote in it is not closed.</summary>
    /// <param name="app">The app.</param>
    /// <param name="folder">Its working directory, absolute.</param>
    public static Pm2Command? Of(Pm2App app, string folder)
    {
        var script = app.Setting("script")!.Node.Text!;
        if (Arguments(app.Setting("args")) is not { } arguments || Arguments(app.Setting("node_args")) is not { } options)
        {
            return null;
        }

        if (script.Any(char.IsWhiteSpace) && app.Setting("exec_interpreter") is null && arguments.Count == 0)
        {
            return ShellWords.Split(script) is { } words && !CommandText.NeedsShellFor(script)
                ? new Pm2Command(words, null)
                : new Pm2Command(["/bin/sh", "-c", script], "the shell runs the line, as with PM2");
        }

        // A name without a folder and an ending is a program of PATH, such as npm. Other scripts are files below the folder.
        var isProgram = app.Interpreter is null && !script.Contains('/', StringComparison.Ordinal) && !Path.HasExtension(script);
        var path = isProgram || script.StartsWith('/') ? script : Path.GetFullPath(script, folder);
        return new Pm2Command(
            app.Interpreter is { } interpreter ? [interpreter, .. options, path, .. arguments] : [path, .. arguments], null);
    }

    private static List<string>? Arguments(Pm2Setting? setting) => setting?.Node switch
    {
        null or { Value: null } => [],
        { Items: { } items } => [.. items.Select(item => item.Text).OfType<string>()],
        { Text: { } text } => ShellWords.Split(text),
        _ => [],
    };
}
