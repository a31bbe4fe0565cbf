namespace Supervisor.Config.Import;

/// <summary>The variables of a .service unit: Environment=, EnvironmentFile= and the names of its directories.</summary>
internal sealed class SystemdEnvironment(SystemdUnit unit, DraftSection service)
{
    /// <summary>The variables of one Environment= setting that can be read and that the unit does not unset.</summary>
    public static IEnumerable<(string Name, string Value)> Assignments(SourceSetting setting, SystemdUnit unit)
    {
        foreach (var word in SystemdWords.Split(setting.Value) ?? [])
        {
            if (SystemdSpecifiers.Expand(word, unit, out _) is { } expanded && IsAssignment(expanded))
            {
                var equals = expanded.IndexOf('=', StringComparison.Ordinal);
                if (!unit.UnsetVariables.Contains(expanded) && !unit.UnsetVariables.Contains(expanded[..equals]))
                {
                    yield return (expanded[..equals], expanded[(equals + 1)..]);
                }
            }
        }
    }

    public void Translate()
    {
        var files = unit.List("Service", "EnvironmentFile");

        // systemd reads the files last, so that they override the variables of the unit.
        var key = files.Count > 0 ? "environment_defaults" : "environment";
        foreach (var (name, value, origin) in SystemdDirectories.Variables(unit))
        {
            service.Set($"{key}.{name}", TomlLiteral.Of(value), origin);
        }

        foreach (var setting in unit.List("Service", "Environment"))
        {
            Report(setting);
            foreach (var (name, value) in Assignments(setting, unit))
            {
                service.Set($"{key}.{TomlLiteral.Key(name)}", TomlLiteral.Of(value), setting);
            }
        }

        Files(files);
    }

    /// <summary>Reports what of an Environment= setting cannot be read.</summary>
    private void Report(SourceSetting setting)
    {
        if (SystemdWords.Split(setting.Value) is not { } words)
        {
            service.Lost(setting, CommonReasons.OpenQuote);
            return;
        }

        foreach (var word in words)
        {
            if (SystemdSpecifiers.Expand(word, unit, out var reason) is not { } expanded)
            {
                service.Lost(setting, reason);
            }
            else if (!IsAssignment(expanded))
            {
                service.Report(setting, Reason.NotNeeded("systemd ignores a word that is not NAME=VALUE too"));
            }
        }
    }

    /// <summary>NAME=VALUE as systemd accepts it, src/basic/env-util.c.</summary>
    private static bool IsAssignment(string text) =>
        text.IndexOf('=', StringComparison.Ordinal) is var equals and > 0 && SystemdVariables.IsName(text[..equals]);

    private void Files(IReadOnlyList<SourceSetting> settings)
    {
        var files = new List<string>();
        foreach (var setting in settings)
        {
            if (SystemdSpecifiers.Expand(setting.Value, unit, out var reason) is not { } path)
            {
                service.Lost(setting, reason);
            }
            else if (path.AsSpan().IndexOfAny("*?[") >= 0)
            {
                service.Lost(setting, "listend expands no patterns: name each file");
            }
            else if (!path.TrimStart('-').StartsWith('/'))
            {
                service.Report(setting, Reason.NotNeeded("systemd ignores a relative path too"));
            }
            else
            {
                files.Add(path);
            }
        }

        if (files.Count > 0)
        {
            service.Set("environment_files", TomlLiteral.Of(files), settings[0]);
        }
    }
}
