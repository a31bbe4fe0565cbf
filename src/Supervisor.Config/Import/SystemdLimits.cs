namespace Supervisor.Config.Import;

/// <summary>Resource limits of a .service unit, systemd.exec(5): Limit*=.</summary>
internal static class SystemdLimits
{
    private static readonly Reason Highest = Reason.Changed("the highest possible limit, as in systemd");

    /// <summary>Translates one limit.</summary>
    /// <param name="service">The service.</param>
    /// <param name="setting">The setting.</param>
    /// <param name="value">Its value, without specifiers.</param>
    /// <param name="hasQuota">Whether limits.cpu is CPUQuota=.</param>
    public static void Translate(DraftSection service, SourceSetting setting, string value, bool hasQuota)
    {
        var name = setting.Key["Limit".Length..].ToLowerInvariant();
        var parts = value.Split(':');
        var literals = Array.ConvertAll(parts, part => Literal(name, part));
        if (literals is not ([{ }] or [{ }, { }]))
        {
            service.Lost(setting, "its value cannot be read");
            return;
        }

        var (soft, hard) = (literals[0]!.Trim('"'), literals[^1]!.Trim('"'));
        var isOne = soft == hard && !PackagedUnit.MayRefuse(setting.Key, hard);
        var key = name == "cpu" && hasQuota ? "cpu_seconds" : name;
        service.Set("limits." + key, isOne ? literals[0]! : TomlLiteral.Of($"{soft}:{hard}"), setting);
        if (parts[^1] == "infinity" && name == "nofile")
        {
            service.Report(setting, Highest);
        }
    }

    private static string? Literal(string name, string value) => name switch
    {
        _ when value == "infinity" => TomlLiteral.Of("infinity"),
        "cpu" => SystemdValues.Span(value) is { } span ? TomlLiteral.Of((long)Math.Ceiling(span.TotalSeconds)) : null,
        "rttime" => SystemdValues.Span(value, 1e-6) is { } span ? TomlLiteral.Of((long)span.TotalMicroseconds) : null,

        // A nice level has a sign; a number without one is the value of the limit.
        "nice" when value is ['+' or '-', ..] => SystemdValues.Integer(value.TrimStart('+')) is { } level and >= -20 and <= 19
            ? TomlLiteral.Of(20 - level)
            : null,
        _ => SystemdValues.Size(value) is { } size ? TomlLiteral.Of(size) : null,
    };
}
