using Supervisor.Config.Diagnostics;
using Supervisor.Core;

namespace Supervisor.Config.Settings;

/// <summary><c>[access.NAME]</c>.</summary>
internal static class AccessSettings
{
    private static readonly TextType<string> Service = new(
        "a service", "the name of a service, or \"*\"", "api", static (text, _) =>
            text == AccessRule.EveryService || SettingTypes.CheckName(text) is null
                ? text
                : new ValueError($"{Quoted.Text(text)} is not the name of a service", "write a name, or \"*\" for every service"))
    {
        Pattern = "^(\\*|[A-Za-z0-9_.-]{1,64})$",
    };

    public static readonly SectionTable<AccessRule> Table = new(
    [
        Of("user", SettingTypes.UserName, null, "Give the rights to this user", (r, v) => r with { User = v }),
        Of("group", SettingTypes.GroupName, null, "Give the rights to the members of this group", (r, v) => r with { Group = v }),
        Of("services", SettingTypes.ListOf(Service), null,
            "Permit the verbs for these services. \"*\": every service", (r, v) => r with { Services = v }) with { IsRequired = true },
        Of("verbs",
            SettingTypes.ListOf(new ChoiceType<AccessVerb>(
                [.. Enum.GetValues<AccessVerb>().Select(verb => (verb.ToString().ToLowerInvariant(), verb))])),
            null,
            "Permit these verbs of listenctl. reload needs services = [\"*\"]", (r, v) => r with { Verbs = v }) with { IsRequired = true },
    ]);

    private static Setting<AccessRule> Of<T>(
        string key, SettingType<T> type, string? byDefault, string description, Func<AccessRule, T, AccessRule> with) =>
        new Setting<AccessRule, T>("access.NAME", key, type, byDefault, description, with);
}
