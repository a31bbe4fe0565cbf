using System.Globalization;
using Supervisor.Core.Services;

namespace Supervisor.Config.Import;

/// <summary>
/// Limits of the cgroup of a .service unit, systemd.resource-control(5), as limits of a worker. A unit has one main process, so a limit
/// of the unit is a limit of its worker.
/// </summary>
internal static class SystemdResources
{
    private const string Unlimited = "infinity";

    private static readonly Reason OfHost = Reason.Lost("a share of the host's memory or tasks: write an amount");

    /// <summary>Whether this setting of [Service] is translated here.</summary>
    public static bool IsOne(string key) => key is "MemoryMax" or "MemoryLimit" or "MemoryHigh" or "CPUQuota" or "TasksMax" or "IOWeight"
        or "RuntimeMaxSec";

    public static void Translate(DraftSection service, SourceSetting setting, string value)
    {
        if (value is Unlimited or "")
        {
            // As without the setting.
            return;
        }

        switch (setting.Key)
        {
            case "MemoryMax" or "MemoryLimit":
                Amount(service, setting, "limits.memory_max", SystemdValues.Size(value));
                break;
            case "MemoryHigh":
                Amount(service, setting, "limits.memory_high", SystemdValues.Size(value));
                break;
            case "TasksMax":
                Amount(service, setting, "limits.tasks", SystemdValues.Size(value));
                break;
            case "IOWeight":
                service.SetOrReport(
                    setting, "limits.io_weight", SystemdValues.Integer(value) is { } weight and >= 1 and <= 10000
                        ? TomlLiteral.Of(weight)
                        : null);
                break;
            case "CPUQuota":
                service.SetOrReport(setting, "limits.cpu", Share(value) is { } share ? TomlLiteral.Of(share) : null);
                break;
            default:
                if (SystemdValues.Span(value) is { } span && span > TimeSpan.Zero && span < TimeSpan.FromHours(1000))
                {
                    service.Set("recycle.max_age", TomlLiteral.Of(span), setting);
                    service.Set("recycle.jitter", TomlLiteral.Of("0%"), setting);
                    service.Changed(setting, "another worker takes over before the old one stops");
                }
                else
                {
                    service.Lost(setting, "its value cannot be read");
                }

                break;
        }
    }

    private static void Amount(DraftSection service, SourceSetting setting, string key, long? amount)
    {
        if (setting.Value.Trim().EndsWith('%'))
        {
            service.Report(setting, OfHost);
        }
        else
        {
            service.SetOrReport(setting, key, amount is > 0 ? TomlLiteral.Of(amount.Value) : null);
        }
    }

    private static string? Share(string value) =>
        value.EndsWith('%')
        && decimal.TryParse(value[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
        && percent is >= 1 and <= 1_000_000
            ? CgroupLimits.Share((int)(percent * CgroupLimits.CpuUnitsOfPercent))
            : null;
}
