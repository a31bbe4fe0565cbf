using Supervisor.Config.Validation;
using Supervisor.Daemon.Validation;

namespace Supervisor.Daemon.Tests.Validation;

/// <summary>Which rule runs when.</summary>
public sealed class ValidationRulesTests
{
    private const Profile AfterStart = Profile.Check | Profile.Reload | Profile.Started;

    [Theory]
    [InlineData("applicable-settings", Profile.Always)]
    [InlineData("multicast-groups", Profile.Always)]
    [InlineData("duplicate-listeners", Profile.Always)]
    [InlineData("symlink-paths", Profile.Check)]
    [InlineData("metrics-address", Profile.Check)]
    [InlineData("access-rules", Profile.Always)]
    [InlineData("custom-options", Profile.Always)]
    [InlineData("option-levels", Profile.Check)]
    [InlineData("known-listeners", Profile.Always)]
    [InlineData("stdin-listener", Profile.Always)]
    [InlineData("handoff-kinds", Profile.Always)]
    [InlineData("on-demand-listener", Profile.Always)]
    [InlineData("on-demand-idle", Profile.Always)]
    [InlineData("on-demand-exclusive", Profile.Always)]
    [InlineData("connection-limits", Profile.Always)]
    [InlineData("connection-slots", Profile.Always)]
    [InlineData("connection-handoff", Profile.Always)]
    [InlineData("connection-listeners", Profile.Always)]
    [InlineData("connection-exclusive", Profile.Always)]
    [InlineData("autoscale-bounds", Profile.Always)]
    [InlineData("autoscale-listener", Profile.Always)]
    [InlineData("autoscale-queue", Profile.Always)]
    [InlineData("health-settings", Profile.Always)]
    [InlineData("readiness-listener", Profile.Always)]
    [InlineData("readiness-descriptor", Profile.Always)]
    [InlineData("placeholders", Profile.Always)]
    [InlineData("service-order", Profile.Always)]
    [InlineData("rollout-room", Profile.Always)]
    [InlineData("steering-multicast", Profile.Always)]
    [InlineData("steering-handoff", Profile.Always)]
    [InlineData("steering-services", Profile.Always)]
    [InlineData("canary-share", Profile.Always)]
    [InlineData("steering-possible", Profile.Check)]
    [InlineData("restart-backoff", Profile.Always)]
    [InlineData("shell-stays", Profile.Check)]
    [InlineData("something-to-do", Profile.Always)]
    [InlineData("shards-supported", Profile.Always)]
    [InlineData("distinct-socket-files", Profile.Check | Profile.Start | Profile.Reload)]
    [InlineData("options-inherited", Profile.Check)]
    [InlineData("known-accounts", AfterStart)]
    [InlineData("signal-rights", Profile.Check)]
    [InlineData("limits-possible", AfterStart)]
    [InlineData("cgroup-limits-possible", Profile.Check)]
    [InlineData("trusted-files", Profile.Always)]
    [InlineData("trusted-runtime-directory", Profile.Check)]
    [InlineData("existing-files", Profile.Check | Profile.Reload)]
    [InlineData("other-daemon", Profile.Check)]
    [InlineData("options-supported", Profile.Check)]
    [InlineData("backlog-limit", Profile.Check)]
    [InlineData("bindable-now", Profile.Check)]
    public void A_rule_runs_in_its_profiles(string name, Profile profiles)
    {
        Assert.Equal(profiles, Assert.Single(ValidationRules.All, rule => rule.Name == name).Profiles);
        foreach (var profile in Enum.GetValues<Profile>().Where(profile => profile is not (Profile.None or Profile.Always)))
        {
            Assert.Equal(profiles.HasFlag(profile), ValidationRules.For(profile).Names.Contains(name));
        }
    }

    [Fact]
    public void Every_rule_is_in_the_table() => Assert.Equal(50, ValidationRules.All.Length);
}
