using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>The variables of a .service unit: Environment= and EnvironmentFile=.</summary>
internal sealed class SystemdEnvironment(SystemdUnit unit, DraftSection service)
{
    /// <summary>Translates one Environment= setting.</summary>
    public void Variables(SourceSetting setting)
    {
        if (SystemdWords.Split(setting.Value) is not { } words)
        {
            service.NoEquivalent(setting, CommonReasons.OpenQuote);
            return;
        }

        foreach (var raw in words)
        {
            var equals = raw.IndexOf('=', StringComparison.Ordinal);
            if (SystemdSpecifiers.Expand(raw, unit, out var reason) is not { } word)
            {
                service.NoEquivalent(setting, reason);
            }
            else if (equals <= 0)
            {
                service.NoEquivalent(setting, $"{Quoted.Text(raw)} is not NAME=VALUE");
            }
            else
            {
                service.Set($"environment.{TomlLiteral.Key(word[..equals])}", TomlLiteral.Of(word[(equals + 1)..]), setting);
            }
        }
    }

    /// <summary>Translates all EnvironmentFile= settings at one of them, and reports this one if it is a pattern.</summary>
    public void Files(SourceSetting setting)
    {
        var files = new List<string>();
        foreach (var file in unit.List("Service", "EnvironmentFile"))
        {
            if (file.Value.AsSpan().IndexOfAny("*?[") >= 0)
            {
                if (file == setting)
                {
                    service.NoEquivalent(file, "listend expands no patterns: name each file");
                }
            }
            else if (SystemdSpecifiers.Expand(file.Value, unit, out _) is { } path)
            {
                files.Add(path);
            }
        }

        if (files.Count > 0)
        {
            service.Set("environment_files", TomlLiteral.Of(files), setting);
        }
    }
}
