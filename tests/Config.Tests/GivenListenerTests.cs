using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;

namespace Supervisor.Config.Tests;

/// <summary>A service may list a name that a client has put or will put. The caller of the parser knows these names.</summary>
public class GivenListenerTests
{
    private const string Legacy =
        "[listener.web]\naddress = \"tcp://127.0.0.1:0\"\n[service.a]\ncommand = [\"/a\"]\nlisteners = [\"web\", \"legacy\"]\n";

    [Fact]
    public void A_listener_that_is_not_configured_or_given_is_an_error() =>
        Assert.Contains("listenctl put", Assert.Single(Parse(Legacy, new ConfigContext()).Errors).Remedy, StringComparison.Ordinal);

    [Fact]
    public void A_service_can_list_a_given_listener() => Assert.Equal(
        ["web", "legacy"],
        Parse(Legacy, new ConfigContext { IsGiven = name => name == "legacy" }).Config!.Services[0].Listeners.AsEnumerable());

    [Fact]
    public void A_start_waits_for_a_listener_that_is_not_yet_given() =>
        Assert.NotNull(Parse(Legacy, new ConfigContext { AwaitsGiven = true }).Config);

    [Theory]
    [InlineData("wbe", "did you mean")]
    [InlineData("a b", "service.a.listeners")]
    public void A_start_does_not_wait_for_a_misspelt_or_invalid_name(string name, string message) => Assert.Contains(
        message, Assert.Single(
            Parse(Legacy.Replace("legacy", name, StringComparison.Ordinal), new ConfigContext { AwaitsGiven = true })
                .Errors).ToString(), StringComparison.Ordinal);

    [Fact]
    public void A_start_does_not_wait_without_a_configured_listener() =>
        Assert.NotEmpty(
            Parse("[service.a]\ncommand = [\"/a\"]\nlisteners = [\"legacy\"]\n", new ConfigContext { AwaitsGiven = true }).Errors);

    private static ConfigResult Parse(string text, ConfigContext context) => Parsing.Parse([new ConfigSource("a.toml", text)], context);
}
