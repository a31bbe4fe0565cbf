using Supervisor.Core;

namespace Supervisor.Config.Import;

/// <summary>Writes values of systemd's settings into a draft, or reports that they have no equivalent.</summary>
internal static class SystemdDraft
{
    /// <summary>Sets <paramref name="key"/>; a null <paramref name="literal"/> is reported with the reason.</summary>
    public static void SetOrReport(
        this DraftSection section, SourceSetting setting, string key, string? literal, string reason = "its value cannot be read")
    {
        if (literal is null)
        {
            section.Lost(setting, reason);
        }
        else
        {
            section.Set(key, literal, setting);
        }
    }

    /// <summary>Sets a duration; "infinity" is reported.</summary>
    public static void SetSpan(this DraftSection section, SourceSetting setting, string key) => section.SetOrReport(
        setting, key,
        SystemdValues.Span(setting.Value) is { } span && span != TimeSpan.MaxValue ? TomlLiteral.Of(span) : null);

    /// <summary>Sets a timeout. "infinity", and 0 except for a watchdog, become the longest duration.</summary>
    public static void SetTimeout(this DraftSection section, SourceSetting setting, string key)
    {
        if (SystemdValues.Span(setting.Value) is { } span
            && (span > Duration.Max || (span == TimeSpan.Zero && key != "watchdog")))
        {
            section.SetOrReport(setting, key, TomlLiteral.Of(Duration.Max));
            section.Changed(setting, $"a timeout has at most {Duration.Format(Duration.Max)}");
            return;
        }

        section.SetSpan(setting, key);
    }
}
