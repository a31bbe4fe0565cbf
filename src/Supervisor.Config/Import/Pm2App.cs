namespace Supervisor.Config.Import;

/// <summary>A setting of an app: its place, and its value.</summary>
internal sealed record Pm2Setting(SourceSetting Source, DataNode Node);

/// <summary>An app of an ecosystem file. Its settings have PM2's main names, whatever spelling the file uses.</summary>
internal sealed class Pm2App
{
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["exec"] = "script",
        ["interpreter"] = "exec_interpreter",
        ["interpreterArgs"] = "node_args",
        ["interpreter_args"] = "node_args",
        ["out"] = "out_file",
        ["output"] = "out_file",
        ["out_log"] = "out_file",
        ["error"] = "error_file",
        ["err"] = "error_file",
        ["err_file"] = "error_file",
        ["err_log"] = "error_file",
        ["log"] = "log_file",
        ["pid"] = "pid_file",
        ["cron"] = "cron_restart",
        ["combine_logs"] = "merge_logs",
        ["user"] = "uid",
    };

    private readonly Dictionary<string, Pm2Setting> _settings = new(StringComparer.Ordinal);

    public Pm2App(string file, DataNode node)
    {
        File = file;
        foreach (var (name, value) in node.Members ?? [])
        {
            var known = Aliases.GetValueOrDefault(name, name);
            _settings[known] = new Pm2Setting(
                new SourceSetting(file, value.Line, "", known, value.Display) { Spelling = name }, value);
        }

        Name = Setting("name")?.Node.Text is { Length: > 0 } given ? given
            : Setting("script")?.Node.Text is { } script ? Path.GetFileNameWithoutExtension(script)
            : "app";
    }

    public string File { get; }

    /// <summary>Its name; without one, that of the script.</summary>
    public string Name { get; }

    /// <summary>The names of its settings.</summary>
    public IEnumerable<string> Names => _settings.Keys;

    public IEnumerable<Pm2Setting> Settings => _settings.Values;

    /// <summary>The program that runs the script; null if the script runs by itself.</summary>
    public string? Interpreter
    {
        get
        {
            if (Setting("exec_interpreter")?.Node.Text is { Length: > 0 } given and not "none")
            {
                return given;
            }

            return Path.GetExtension(Setting("script")?.Node.Text ?? "") switch
            {
                _ when Setting("exec_interpreter")?.Node.Text == "none" => null,
                ".js" or ".cjs" or ".mjs" => "node",
                ".sh" => "bash",
                ".py" => "python3",
                ".rb" => "ruby",
                ".php" => "php",
                ".pl" => "perl",
                ".coffee" => "coffee",
                ".ls" => "lsc",
                ".ts" or ".tsx" => "bun",

                // PM2 runs a text without a known ending by Node. Its first line usually says so too.
                _ when IsFile && (Setting("node_args") is not null || IsClusterMode) => "node",
                _ => null,
            };
        }
    }

    /// <summary>The setting that chooses cluster mode: <c>exec_mode</c>, or <c>instances</c> of a program of Node; else null.</summary>
    public Pm2Setting? Mode => Setting("exec_mode")
        ?? (Interpreter is { } interpreter && Path.GetFileName(interpreter) == "node" ? Setting("instances") : null);

    /// <summary>Whether its workers share a port that PM2 holds.</summary>
    public bool IsCluster => Mode is { } mode && (mode.Source.Key != "exec_mode" || IsClusterMode);

    /// <summary>Its port, as far as the file says it; null if it does not.</summary>
    public Pm2Setting? Port => Setting("port")
        ?? (Setting("env")?.Node.Members?["PORT"] is { } port ? new Pm2Setting(Source("PORT", port), port) : null);

    /// <summary>A setting by PM2's main name; null without one.</summary>
    public Pm2Setting? Setting(string name) => _settings.GetValueOrDefault(name);

    private bool IsClusterMode => Setting("exec_mode")?.Node.Text?.StartsWith("cluster", StringComparison.Ordinal) == true;

    /// <summary>Whether the script is a file in a folder, not the name of a program.</summary>
    private bool IsFile => Setting("script")?.Node.Text?.Contains('/', StringComparison.Ordinal) == true;

    /// <summary>The place of a value within a setting.</summary>
    public SourceSetting Source(string name, DataNode value) => new(File, value.Line, "", name, value.Display);
}
