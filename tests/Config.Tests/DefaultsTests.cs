using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Config.Validation;

namespace Supervisor.Config.Tests;

/// <summary>A default that is written out is valid: it changes nothing.</summary>
public sealed class DefaultsTests
{
    public static TheoryData<string, string, string> Defaults()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var setting in SettingTable.All
            .Where(setting => setting is { Default: not null, Section: "daemon" or "listener.NAME" or "service.NAME" }))
        {
            data.Add(setting.Section, setting.Key, setting.Default!);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Defaults))]
    public void An_explicit_default_is_valid(string section, string key, string value) => Assert.Empty(Errors(section, key, value));

    [Theory]
    [InlineData("listener.NAME", "listen.defer_accept", "\"0s\"")]
    [InlineData("listener.NAME", "listen.fast_open", "0")]
    [InlineData("listener.NAME", "bind.mark", "0")]
    [InlineData("listener.NAME", "accepted.linger", "\"0s\"")]
    [InlineData("listener.NAME", "accepted.user_timeout", "\"0s\"")]
    [InlineData("listener.NAME", "accepted.not_sent_low_water", "0")]
    [InlineData("listener.NAME", "accepted.tos", "0")]
    [InlineData("service.NAME", "nice", "0")]
    [InlineData("service.NAME", "watchdog", "\"0s\"")]
    [InlineData("service.NAME", "stop_when_idle", "\"0s\"")]
    [InlineData("service.NAME", "rollout.canary", "0")]
    [InlineData("service.NAME", "rollout.canary_hold", "\"0s\"")]
    [InlineData("service.NAME", "rollout.settle", "\"0s\"")]
    [InlineData("service.NAME", "restart.limit", "0")]
    public void What_the_kernel_or_listend_calls_off_is_valid(string section, string key, string value) =>
        Assert.Empty(Errors(section, key, value));

    private static IEnumerable<string> Errors(string section, string key, string value)
    {
        var listener = section.StartsWith("listener", StringComparison.Ordinal) ? $"{key} = {value}\n" : "";
        var service = section.StartsWith("service", StringComparison.Ordinal) ? $"{key} = {value}\n" : "";
        var daemon = section == "daemon" ? $"{key} = {value}\n" : "";
        var text = $"[daemon]\n{daemon}[listener.a]\naddress = \"tcp://127.0.0.1:80\"\n{listener}"
            + $"[service.b]\ncommand = [\"/bin/true\"]\n{(key == "listeners" ? "" : "listeners = [\"a\"]\n")}{service}";
        return RuleSet.For(Profile.Check).Validate(ConfigParser.Parse([new ConfigSource("a.toml", text)], new())).Errors
            .Select(error => error.ToString());
    }
}
