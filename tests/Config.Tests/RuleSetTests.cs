using Supervisor.Config.Diagnostics;
using Supervisor.Config.Validation;

namespace Supervisor.Config.Tests;

/// <summary>When each rule runs, and how diagnostics are combined.</summary>
public sealed class RuleSetTests
{
    private const string Overlap = "[listener.four]\naddress = \"tcp://0.0.0.0:80\"\n[listener.six]\naddress = \"tcp://[::]:80\"\n";

    /// <summary>Rules that run whenever a configuration is read.</summary>
    private static readonly string[] Always =
    [
        "applicable-settings", "multicast-groups", "custom-options",
        "duplicate-listeners", "access-rules", "known-listeners", "stdin-listener", "handoff-kinds",
        "on-demand-listener",
        "on-demand-idle",
        "on-demand-exclusive", "connection-limits", "connection-slots", "connection-handoff", "connection-listeners",
        "connection-exclusive", "autoscale-bounds", "autoscale-listener", "autoscale-queue", "health-settings", "readiness-listener",
        "readiness-descriptor", "placeholders",
        "service-order", "rollout-room", "steering-multicast", "steering-handoff", "steering-services", "canary-share", "restart-backoff",
        "something-to-do",
    ];

    [Theory]
    [InlineData(Profile.Check, "metrics-address", "option-levels", "shell-stays", "symlink-paths")]
    [InlineData(Profile.Start)]
    [InlineData(Profile.Reload)]
    [InlineData(Profile.State)]
    public void Each_profile_runs_its_rules(Profile profile, params string[] more) =>
        Assert.Equal(Always.Concat(more).Order(), RuleSet.For(profile).Names.Order());

    [Fact]
    public void No_pure_rule_runs_after_a_start() => Assert.Empty(RuleSet.For(Profile.Started).Names);

    [Fact]
    public void Host_rules_run_last_and_see_only_valid_settings()
    {
        var seen = "";
        Rule[] rules = [.. PureRules
            .All, OfHost(config => { seen = string.Join(' ', config.Readable.Listeners.Select(spec => spec.Name)); return []; })];
        var result = Validate(
            rules,
            "[listener.a]\naddress = \"tcp://127.0.0.1:1\"\nunix.mode = \"0600\"\n[listener.b]\naddress = \"tcp://127.0.0.1:2\"\n");
        Assert.Equal(("b", "listener.a.unix.mode"), (seen, Assert.Single(result.Errors).Setting));
    }

    [Fact]
    public void After_a_syntax_error_only_host_rules_run()
    {
        var result = Validate(
            [.. PureRules.All, OfHost(Unknown)],
            "[service.a]\ncommand = [\"/a\"]\nlisteners = [\"web\"]\nuser = \"u\"\nnice = = 1\n");
        Assert.Equal([4, 5], result.Errors.Select(error => error.Line));
        Assert.Null(result.Config);
    }

    [Fact]
    public void An_error_about_a_value_suppresses_its_warnings()
    {
        const string text = "[service.a]\ncommand = [\"/a\"]\nuser = \"u\"\ngroup = \"g\"\n";
        Rule[] rules = [OfHost(Unknown), OfHost(config => Unknown(config).Select(error => error with { IsWarning = true })),
            OfHost(config => [config.Places.Diagnostic("service", "a", "group", "old", null) with { IsWarning = true }])];
        var result = Validate(rules, text);
        Assert.Equal(("service.a.user", "service.a.group"), (Assert.Single(result.Errors).Setting, Assert.Single(result.Warnings).Setting));
    }

    [Fact]
    public void Overlapping_listeners_fail_the_later_listener()
    {
        var result = Parsing.Parse(Overlap);
        Assert.NotNull(result.Config);
        var failure = Assert.Single(result.Failures);
        Assert.Equal(("six", "listener.six.address", 4), (failure.Bind!.Listener, failure.Setting, failure.Line));
        Assert.Contains("four", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bind.reuse_port = true", "")]
    [InlineData("shards = 2", "bind.reuse_port = false")]
    public void Sharing_by_only_one_listener_fails_the_later_listener(string first, string second)
    {
        var result = Parsing.Parse(
            $"[listener.a]\naddress = \"tcp://127.0.0.1:80\"\n{first}\n[listener.b]\naddress = \"tcp://127.0.0.1:80\"\n{second}\n");
        Assert.Empty(result.Errors);
        Assert.Equal("b", Assert.Single(result.Failures).Bind!.Listener);
    }

    [Theory]
    [InlineData("device = \"eth0\"", "device = \"eth1\"", 0)]
    [InlineData("device = \"eth0\"", "device = \"eth0\"", 1)]
    [InlineData("reuse_port = true", "reuse_port = true", 0)]
    public void Interfaces_and_sharing_prevent_a_listener_conflict(string first, string second, int errors) =>
        Assert.Equal(errors, Parsing.Parse(
            $"[listener.a]\naddress = \"tcp://*:80\"\nbind.{first}\n[listener.b]\naddress = \"tcp://*:80\"\nbind.{second}\n"
            + $"").Errors.Length);

    [Fact]
    public void A_listener_on_the_metrics_address_fails_the_metrics()
    {
        var failure = Assert.Single(
            Parsing.Parse("[daemon]\nmetrics = \"127.0.0.1:80\"\n[listener.a]\naddress = \"tcp://*:80\"\n").Failures);
        Assert.Equal(("daemon.metrics", "daemon.metrics"), (failure.Bind!.Listener, failure.Setting));
    }

    [Theory]
    [InlineData("rollout = { canary = 1, canary_share = \"5%\" }", "has steering, so the kernel cannot give a share")]
    [InlineData("rollout = { canary = 0, canary_share = \"5%\" }", null)]
    [InlineData("liveness.probe = \"fd:9\"", "\"fd:9\" is not one of tcp, http:/PATH, exec:COMMAND")]
    [InlineData("liveness.probe = \"\"", "\"\" is not one of tcp, http:/PATH, exec:COMMAND")]
    public void Settings_that_contradict_others_are_errors(string setting, string? error)
    {
        var result = OfService(setting);
        Assert.Equal(error is null, result.Errors.Length == 0);
        Assert.Contains(error ?? "", result.Errors.FirstOrDefault()?.Message ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("liveness.interval = \"1s\"", "has no probe")]
    [InlineData("liveness = { interval = \"10s\", failures = 3 }", null)]
    [InlineData("recycle.jitter = \"50%\"", "neither max_age nor max_memory")]
    [InlineData("autoscale = { min = 1, max = 2, queue = 66 }", "cannot wait: the listeners have room for 66")]
    [InlineData("autoscale = { min = 1, max = 2, queue = 65 }", null)]
    public void Settings_that_could_never_have_an_effect_are_warnings(string setting, string? warning)
    {
        var result = OfService(setting);
        Assert.Empty(result.Errors);
        Assert.Equal(warning is null, result.Warnings.Length == 0);
        Assert.Contains(warning ?? "", result.Warnings.FirstOrDefault()?.Message ?? "", StringComparison.Ordinal);
    }

    private static ConfigResult OfService(string setting) => Parsing.Parse(
        "[listener.a]\naddress = \"tcp://127.0.0.1:80\"\nlisten.backlog = 32\nshards = 2\n[service.a]\ncommand = [\"/a\"]\n"
        + $"listeners = [\"a\"]\n{setting}\n");

    private static Rule OfHost(Func<ParsedConfig, IEnumerable<ConfigDiagnostic>> check) =>
        new("host", Profile.Check, check) { AsksHost = true };

    private static IEnumerable<ConfigDiagnostic> Unknown(ParsedConfig config) =>
        config.Draft.Services.Where(service => service.User is not null)
            .Select(service => config.Places.Diagnostic("service", service.Name, "user", "unknown", null));

    private static ConfigResult Validate(IEnumerable<Rule> rules, string text) =>
        RuleSet.For(Profile.Check, rules).Validate(ConfigParser.Parse([new ConfigSource(Parsing.File, text)], Parsing.Context));
}
