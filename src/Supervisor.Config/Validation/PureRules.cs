using System.Collections.Immutable;

namespace Supervisor.Config.Validation;

/// <summary>The rules that need only the configuration, with the profiles in which they run.</summary>
public static class PureRules
{
    /// <summary>The rules, in the order in which they run.</summary>
    public static ImmutableArray<Rule> All { get; } =
    [
        new("applicable-settings", Profile.Always, ApplicableSettings.Check),
        new("multicast-groups", Profile.Always, MulticastGroups.Check),
        new("custom-options", Profile.Always, CustomOptions.Check),
        new("option-levels", Profile.Check, OptionLevels.Check),
        new("duplicate-listeners", Profile.Always, DuplicateListeners.Check),
        new("symlink-paths", Profile.Check, SymlinkPaths.Check),
        new("metrics-address", Profile.Check, MetricsAddress.Check),
        new("access-rules", Profile.Always, AccessRules.Check),
        new("known-listeners", Profile.Always, KnownListeners.Check),
        new("stdin-listener", Profile.Always, StdinListener.Check),
        new("handoff-kinds", Profile.Always, HandoffKinds.Check),
        new("on-demand-listener", Profile.Always, OnDemandServices.CheckListener),
        new("on-demand-idle", Profile.Always, OnDemandServices.CheckIdle),
        new("on-demand-exclusive", Profile.Always, OnDemandServices.CheckExclusive),
        new("connection-limits", Profile.Always, ConnectionServices.CheckLimits),
        new("connection-slots", Profile.Always, ConnectionServices.CheckSlots),
        new("connection-handoff", Profile.Always, ConnectionServices.CheckHandoff),
        new("connection-listeners", Profile.Always, ConnectionServices.CheckListeners),
        new("connection-exclusive", Profile.Always, ConnectionServices.CheckExclusive),
        new("autoscale-bounds", Profile.Always, AutoscaledServices.CheckBounds),
        new("autoscale-listener", Profile.Always, AutoscaledServices.CheckListener),
        new("autoscale-queue", Profile.Always, AutoscaledServices.CheckQueue),
        new("health-settings", Profile.Always, HealthSettings.Check),
        new("readiness-listener", Profile.Always, ReadinessListener.Check),
        new("readiness-descriptor", Profile.Always, ReadinessListener.CheckDescriptor),
        new("placeholders", Profile.Always, DescriptorPlaceholders.Check),
        new("service-order", Profile.Always, ServiceOrder.Check),
        new("rollout-room", Profile.Always, RolloutRoom.Check),
        new("steering-multicast", Profile.Always, SteeredListeners.CheckMulticast),
        new("steering-handoff", Profile.Always, SteeredListeners.CheckHandoff),
        new("steering-services", Profile.Always, SteeredListeners.CheckServices),
        new("canary-share", Profile.Always, SteeredListeners.CheckCanaryShare),
        new("restart-backoff", Profile.Always, RestartBackoff.Check),
        new("shell-stays", Profile.Check, ShellCommands.Check),
        new("something-to-do", Profile.Always, SomethingToDo.Check),
    ];
}
