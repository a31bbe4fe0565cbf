using System.Collections.Immutable;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Validation;

namespace Supervisor.Daemon.Validation;

/// <summary>Every rule for a configuration: the pure rules, and the rules that query the host.</summary>
internal static class ValidationRules
{
    /// <summary>The rules, in the order in which they run.</summary>
    public static ImmutableArray<Rule> All { get; } =
    [
        .. PureRules.All,
        OfHost("shards-supported", Profile.Always, SupportedShards.Check),
        OfHost("distinct-socket-files", Profile.Check | Profile.Start | Profile.Reload, DistinctSocketFiles.Check),
        OfHost("options-inherited", Profile.Check, InheritedOptions.Check),
        OfHost("known-accounts", Profile.Check | Profile.Reload | Profile.Started, Accounts.Check),
        OfHost("signal-rights", Profile.Check, SignalRights.Check),
        OfHost("limits-possible", Profile.Check | Profile.Reload | Profile.Started, PossibleLimits.Check),
        OfHost("cgroup-limits-possible", Profile.Check, PossibleCgroupLimits.Check),
        OfHost("trusted-files", Profile.Always, TrustedServiceFiles.Check),
        OfHost("trusted-runtime-directory", Profile.Check, TrustedRuntimeDirectory.Check),
        OfHost("other-daemon", Profile.Check, OtherDaemon.Check),
        OfHost("steering-possible", Profile.Check, PossibleSteering.Check),
        OfHost("options-supported", Profile.Check, SupportedOptions.Check),
        OfHost("backlog-limit", Profile.Check, BacklogLimit.Check),
        OfHost("existing-files", Profile.Check | Profile.Reload, ExistingServiceFiles.Check),
        OfHost("bindable-now", Profile.Check, BindableNow.Check),
    ];

    /// <summary>The rules of one profile.</summary>
    public static RuleSet For(Profile profile) => RuleSet.For(profile, All);

    private static Rule OfHost(string name, Profile profiles, Func<ParsedConfig, IEnumerable<ConfigDiagnostic>> check) =>
        new(name, profiles, check) { AsksHost = true };
}
