using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;

namespace Supervisor.Config.Tests;

/// <summary>A service may list what was given to the daemon, or is to be given: who calls the parser says what there is.</summary>
public class GivenListenerTests
{
    private const string Legacy = "[listener.web]\naddress = \"tcp://127.0.0.1:0\"\n[service.a]\ncommand = [\"/a\"]\nlisteners = [\"web\", \"legacy\"]\n";

    [Fact]
    public void A_name_that_is_neither_configured_nor_given_is_an_error() => Assert.Contains("listenctl put", Assert.Single(Parse(Legacy, new ConfigContext()).Errors).Remedy, StringComparison.Ordinal);

    [Fact]
    public void What_is_given_can_be_listed() => Assert.Equal(["web", "legacy"], Parse(Legacy, new ConfigContext { IsGiven = name => name == "legacy" }).Config!.Services[0].Listeners.AsEnumerable());

    [Fact]
    public void At_a_start_it_is_waited_for() => Assert.NotNull(Parse(Legacy, new ConfigContext { AwaitsGiven = true }).Config);

    [Theory]
    [InlineData("wbe", "did you mean")]
    [InlineData("a b", "service.a.listeners")]
    public void But_not_for_what_is_misspelt_or_no_name(string name, string message) => Assert.Contains(
        message, Assert.Single(Parse(Legacy.Replace("legacy", name, StringComparison.Ordinal), new ConfigContext { AwaitsGiven = true }).Errors).ToString(), StringComparison.Ordinal);

    [Fact]
    public void Nor_where_nothing_at_all_is_configured() =>
        Assert.NotEmpty(Parse("[service.a]\ncommand = [\"/a\"]\nlisteners = [\"legacy\"]\n", new ConfigContext { AwaitsGiven = true }).Errors);

    private static ConfigResult Parse(string text, ConfigContext context) => Parsing.Parse([new ConfigSource("a.toml", text)], context);
}
