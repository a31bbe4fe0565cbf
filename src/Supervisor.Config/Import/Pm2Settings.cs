using System.Globalization;

namespace Supervisor.Config.Import;

/// <summary>Writes the settings of an app into its service, or reports why one is not written as it was.</summary>
/// <param name="service">The service.</param>
/// <param name="app">The app.</param>
/// <param name="folder">Its working directory, absolute.</param>
internal sealed class Pm2Settings(DraftSection service, Pm2App app, string folder)
{
    public void Translate()
    {
        foreach (var setting in app.Settings.Where(setting => setting.Node.Value is not null))
        {
            if (!IsWritten(setting))
            {
                service.Report(setting.Source, Pm2Reasons.Of(setting.Source.Key));
            }
        }
    }

    /// <summary>Whether the setting is written, or needs no word.</summary>
    private bool IsWritten(Pm2Setting setting) => setting.Source.Key switch
    {
        "name" or "script" or "args" or "node_args" or "exec_interpreter" or "cwd" or "env" or "port" or "exec_mode" or "increment_var"
            or "instance_var" => true,
        "instances" => setting.Node.Number is not < 0,
        "uid" => Set("user", setting, setting.Node.Text),
        "gid" => Set("group", setting, setting.Node.Text),
        "kill_timeout" => Duration("stop_timeout", setting),
        "listen_timeout" => Duration("start_timeout", setting),
        "restart_delay" => setting.Node.Number == 0 || (Delay("restart.backoff", setting) && Delay("restart.backoff_max", setting)),
        "exp_backoff_restart_delay" => setting.Node.Number == 0
            || (Duration("restart.backoff", setting) && Literal("restart.backoff_max", setting, TomlLiteral.Of(TimeSpan.FromSeconds(15)))),
        "autorestart" => setting.Node.IsTrue || Literal("restart.policy", setting, TomlLiteral.Of("never")),
        "stop_exit_codes" => setting.Node is { Items: [{ Number: 0 }] } or { Number: 0 }
            && Literal("restart.policy", setting, TomlLiteral.Of("on-failure")),
        "max_memory_restart" => Memory(setting),
        "treekill" => setting.Node.IsTrue || Literal("stop_mode", setting, TomlLiteral.Of("main")),
        "out_file" => Log(setting),
        "log_file" => app.Setting("out_file") is null && setting.Node.Text is not ("true" or "false") && Log(setting),
        "env_file" => setting.Node.Text is { } file
            && Literal("environment_files", setting, TomlLiteral.Of([Path.GetFullPath(file, folder)])),
        "error_file" => setting.Node.Text == app.Setting("out_file")?.Node.Text,
        _ => !setting.Node.IsTrue,
    };

    private bool Set(string key, Pm2Setting setting, string? value) =>
        value is not null && Literal(key, setting, TomlLiteral.Of(value));

    private bool Literal(string key, Pm2Setting setting, string literal)
    {
        service.Set(key, literal, setting.Source);
        return true;
    }

    /// <summary>Milliseconds, or a number with a unit.</summary>
    private bool Duration(string key, Pm2Setting setting) =>
        Milliseconds(setting) is { } time && Literal(key, setting, TomlLiteral.Of(time));

    private bool Delay(string key, Pm2Setting setting)
    {
        service.Report(setting.Source, Pm2Reasons.FirstRestart);
        return Duration(key, setting);
    }

    private static TimeSpan? Milliseconds(Pm2Setting setting)
    {
        var text = setting.Node.Text ?? "";
        var factor = text.Length == 0 ? 1 : text[^1] switch { 's' => 1000, 'm' => 60_000, 'h' => 3_600_000, _ => 1 };
        var digits = factor == 1 ? text : text[..^1];
        return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * factor is >= 0 and < 1e12
            ? TimeSpan.FromMilliseconds(number * factor)
            : null;
    }

    private bool Memory(Pm2Setting setting)
    {
        var text = (setting.Node.Text ?? "").Trim();
        var unit = text.Length == 0 ? "" : char.ToUpperInvariant(text[^1]) switch { 'K' => "KiB", 'M' => "MiB", 'G' => "GiB", _ => "" };
        var digits = unit.Length == 0 ? text : text[..^1];
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        service.Report(setting.Source, Pm2Reasons.TakesOver);
        return Literal("recycle.max_memory", setting, unit.Length == 0 ? TomlLiteral.Of(number) : TomlLiteral.Of(digits + unit));
    }

    private bool Log(Pm2Setting setting)
    {
        switch (setting.Node.Text)
        {
            case "/dev/stdout" or "/dev/stderr":
                return Literal("log", setting, TomlLiteral.Of("inherit"));
            case "/dev/null" or "NULL" or "null" or null:
                service.Report(setting.Source, CommonReasons.NeverDiscarded);
                return true;
            case var file:
                return Literal("log", setting, TomlLiteral.Of("file:" + Path.GetFullPath(file, folder)));
        }
    }
}
