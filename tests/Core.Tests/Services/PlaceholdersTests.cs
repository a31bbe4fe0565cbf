using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

public sealed class PlaceholdersTests
{
    private static readonly Placeholders Values = new("api", 7, 2, [("web", 3), ("web", 4), ("admin", 5)]);

    [Theory]
    [InlineData("--slot={slot}", "--slot=2")]
    [InlineData("{service}-{generation}.{slot}", "api-7.2")]
    [InlineData("{fd:admin}", "5")]
    [InlineData("{fd:web}", "3,4")]
    [InlineData("{fds}", "3,4,5")]
    [InlineData("{{slot}} {{{slot}}}", "{slot} {{slot}}")]
    [InlineData("{\"a\":1} {slots} { slot } {fd:} ${slot:-x} {}", "{\"a\":1} {slots} { slot } {fd:} ${slot:-x} {}")]
    [InlineData("", "")]
    public void Only_known_placeholders_are_replaced(string text, string expected) => Assert.Equal(expected, Values.Expand(text));

    [Theory]
    [InlineData("plain", false)]
    [InlineData("{a}", false)]
    [InlineData("x{slot}", true)]
    [InlineData("{{slot}}", true)]
    public void A_text_without_a_placeholder_needs_no_copy(string text, bool has) => Assert.Equal(has, Placeholders.AreIn(text));

    [Fact]
    public void Placeholders_of_descriptors_name_their_listener()
    {
        string[] found = [.. Placeholders.DescriptorsIn("{fd:web} {slot} {fds} {{fd:kept}} {fd:a.b-c}")];
        Assert.Equal(["{fd:web}", "{fds}", "{fd:a.b-c}"], found);
        Assert.Equal(["web", null, "a.b-c"], found.Select(Placeholders.ListenerOf));
    }
}
