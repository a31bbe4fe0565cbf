using System.Text.Json.Serialization;

namespace Supervisor.Core.Services;

/// <summary>The events of a service at which a hook can run.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HookKind>))]
public enum HookKind
{
    /// <summary>Before the first worker of a generation starts. If the hook fails, no worker starts.</summary>
    PreStart,

    /// <summary>All workers of a generation are ready.</summary>
    PostReady,

    /// <summary>The last worker of a stopped service has exited.</summary>
    PostStop,
}

/// <summary>The hooks by their names in the configuration.</summary>
public static class HookKindExtensions
{
    /// <summary>The setting's name, such as hooks.pre_start.</summary>
    public static string Setting(this HookKind hook) => hook switch
    {
        HookKind.PreStart => "hooks.pre_start",
        HookKind.PostReady => "hooks.post_ready",
        HookKind.PostStop => "hooks.post_stop",
        _ => throw new ArgumentOutOfRangeException(nameof(hook), hook, null),
    };
}
