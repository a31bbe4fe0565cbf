using System.Globalization;
using System.Text.Json;
using Supervisor.Config.Toml;
using Supervisor.Core.Services;

namespace Supervisor.Config.Settings;

/// <summary>
/// <c>limits.cpu</c>: a share of processors for the worker's cgroup, such as "150%", or what RLIMIT_CPU takes (<see cref="LimitType"/>).
/// </summary>
internal sealed class CpuLimitType() : SettingType<(int? Share, (ulong? Soft, ulong Hard) Seconds)>(
    "a share of processors or a number of seconds", "1% to 1000000%, or what RLIMIT_CPU takes", "\"150%\"")
{
    private const int Least = CgroupLimits.CpuUnitsOfPercent;
    private const int Most = 1_000_000 * CgroupLimits.CpuUnitsOfPercent;
    private const string Remedy = "write a share such as \"150%\" (one and a half processors), or seconds as an integer";

    private readonly LimitType _seconds = new();

    public override bool TryRead(TomlNode node, ReadContext context, out (int? Share, (ulong? Soft, ulong Hard) Seconds) value)
    {
        value = default;
        switch (node.Kind)
        {
            case TomlNodeKind.String when node.Text.EndsWith('%'):
                if (!decimal.TryParse(node.Text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
                    || percent > Most)
                {
                    return context.Fail(node, $"{node.Shown} is not a share of processors", Remedy);
                }

                var units = percent * CgroupLimits.CpuUnitsOfPercent;
                value.Share = (int)Math.Min(units, Most);
                return (units >= Least && units <= Most && units == decimal.Truncate(units))
                    || context.Fail(node, $"{node.Shown} is out of range (1% to 1000000%, in steps of 0.01%)", Remedy);
            case TomlNodeKind.Integer or TomlNodeKind.String:
                return _seconds.TryRead(node, context, out value.Seconds);
            default:
                return FailKind(node, context, Remedy);
        }
    }

    internal override void WriteSchema(Utf8JsonWriter schema)
    {
        schema.WriteStartArray("anyOf");
        schema.WriteStartObject();
        schema.WriteString("type", "string");
        schema.WriteString("pattern", "^[0-9]+([.][0-9]{1,2})?%$");
        schema.WriteEndObject();
        schema.WriteStartObject();
        _seconds.WriteSchema(schema);
        schema.WriteEndObject();
        schema.WriteEndArray();
    }
}
