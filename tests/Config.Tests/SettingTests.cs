using Supervisor.Config.Settings;
using Supervisor.Core.Listeners;
using Supervisor.Core.Reload;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests;

public sealed class SettingTests
{
    public static TheoryData<string> Paths => [.. SettingCases.All.Select(c => c.Path)];

    [Fact]
    public void Every_setting_has_a_test_case()
    {
        Assert.Equal(SettingTable.All.Select(s => s.Path).Order(StringComparer.Ordinal),
            SettingCases.All.Select(c => c.Path).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_valid_value_is_read(string path)
    {
        var setting = SettingCases.All.Single(c => c.Path == path);
        var (text, _, _) = Document(setting, setting.Right);
        Assert.Equal(setting.Expected, setting.Read(Parsing.Good(text)));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void An_invalid_value_is_named_with_its_place_and_a_remedy(string path)
    {
        var setting = SettingCases.All.Single(c => c.Path == path);
        var (text, line, column) = Document(setting, setting.Wrong);
        var error = Assert.Single(Parsing.Parse(text).Errors);
        Assert.Equal(Parsing.File, error.File);
        Assert.Equal(line, error.Line);

        // In an array, the position is that of the invalid element.
        Assert.InRange(error.Column, column, column + setting.Wrong.Length - 1);
        if (!setting.Wrong.StartsWith('['))
        {
            Assert.Equal(column, error.Column);
        }

        Assert.Equal(path.Replace("NAME", "a", StringComparison.Ordinal).Replace("[]", "", StringComparison.Ordinal), error.Setting);
        Assert.Contains(setting.Says, error.Message, StringComparison.Ordinal);
        Assert.Contains(setting.Remedy, error.Remedy, StringComparison.Ordinal);
        Assert.StartsWith($"{Parsing.File}:{line}:{error.Column}: {error.Setting}: ", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_value_of_another_type_is_an_error(string path)
    {
        var setting = SettingCases.All.Single(c => c.Path == path);
        var (text, line, _) = Document(setting, "1979-05-27T07:32:00Z");
        var error = Assert.Single(Parsing.Parse(text).Errors);
        Assert.Equal(line, error.Line);
        Assert.Contains("1979-05-27T07:32:00Z is a date or time, and this setting takes", error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Remedy);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void An_explicit_default_changes_nothing(string path)
    {
        if (SettingTable.All.Single(s => s.Path == path).Default is not { } value)
        {
            return;
        }

        var setting = SettingCases.All.Single(c => c.Path == path);
        var (text, _, _) = Document(setting, value);
        var (without, _, _) = Document(setting, null);
        Assert.Equal(Dump(Parsing.Good(without)), Dump(Parsing.Good(text)));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Reload_detects_a_change_of_each_setting(string path)
    {
        var setting = SettingCases.All.Single(c => c.Path == path);
        if (setting.Right == SettingTable.All.Single(s => s.Path == path).Default)
        {
            return;
        }

        var with = Parsing.Good(Document(setting, setting.Right).Text);
        var without = SettingTable.All.Single(s => s.Path == path) is { IsRequired: true } && !path.Contains('[', StringComparison.Ordinal)
            ? with with
            {
                Daemon = with.Daemon with { Access = [] },
                Listeners = [.. with.Listeners.Select(
                l => l with { Address = ListenAddress.AnyFamily(ListenerKind.Tcp, 1) })],
                Services = [.. with.Services.Select(s => s with { Command = ["/other"] })]
            }
            : Parsing.Good(Document(setting, setting.Path.EndsWith(".group", StringComparison.Ordinal)
                && setting.Path.Contains('[', StringComparison.Ordinal) ? "\"239.9.9.9\"" : null).Text);
        var key = setting.Path.Split('.', 3)[^1];
        var changed = setting.Path.Split('.')[0] switch
        {
            "listener" => ListenerReloadImpact.Changed(without.Listeners[0], with.Listeners[0]).Select(change => change.Setting),
            "service" => ServiceReloadImpact.Changed(without.Services[0], with.Services[0]).Select(term => term.Setting),
            _ => without.Daemon == with.Daemon ? [] : [key],
        };
        Assert.Contains(changed, name => key == name || key.StartsWith(name + ".", StringComparison.Ordinal)
            || key.StartsWith(name + "[", StringComparison.Ordinal));
        Assert.True(setting.Path.StartsWith("daemon", StringComparison.Ordinal)
            || setting.Path.StartsWith("access", StringComparison.Ordinal) || with.Listeners[0] != without.Listeners[0]
            || with.Services[0] != without.Services[0]);
    }

    /// <summary>Prints records with their values. Arrays print no values, but all default arrays are empty.</summary>
    private static string Dump(ListendConfig config) => string.Join('\n', [config.Daemon, .. config.Listeners, .. config.Services]);

    private static (string Text, int Line, int Column) Document(SettingCase setting, string? value)
    {
        var pattern = setting.Path.Split('.', 3);
        var lines = new List<string>();
        if (pattern[0] != "listener" || pattern[2] != "address")
        {
            lines.Add($"listener.a.address = \"{setting.Address}\"");
        }

        if (setting.ListenerWith is { } more)
        {
            lines.Add($"listener.a.{more}");
        }

        var (before, key, after) = pattern[0] == "daemon" ? ("daemon.", pattern[1], "") : ($"{pattern[0]}.a.", pattern[2], "");
        var element = key.IndexOf("[].", StringComparison.Ordinal);
        if (element > 0)
        {
            var inner = key[(element + 3)..];
            var others = key.StartsWith("options", StringComparison.Ordinal)
                ? new[] { "level = \"IPPROTO_TCP\"", "name = \"TCP_SYNCNT\"", "value = 1", "phase = \"pre-listen\"" }
                : ["group = \"239.1.2.3\""];
            var given = others.Where(other => !other.StartsWith(inner, StringComparison.Ordinal));
            before = $"{before}{key[..element]} = [ {{ {string.Concat(given.Select(other => other + ", "))}";
            (key, after) = (inner, " } ]");
        }

        if (pattern[0] == "service" && pattern[2] != "command")
        {
            lines.Add("service.a.command = [\"/bin/a\"]");
        }

        lines.AddRange(setting.Others.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        lines.AddRange(setting.With.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => before + line));
        var start = $"{before}{key} = ";
        if (value is not null)
        {
            lines.Add(start + value + after);
        }

        return (string.Join('\n', lines), lines.Count, start.Length + 1);
    }
}
