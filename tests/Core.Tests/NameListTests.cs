namespace Supervisor.Core.Tests;

public sealed class NameListTests
{
    private static readonly string[] Many = [.. Enumerable.Range(1, 1000).Select(number => $"s{number}")];

    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a")]
    [InlineData("a b c", "a, b, c")]
    public void A_short_list_is_whole(string names, string text) =>
        Assert.Equal(text, NameList.Of(names.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Fact]
    public void A_long_list_ends_with_the_number_of_the_rest()
    {
        var text = NameList.Of(Many);
        Assert.StartsWith("s1, s2, s3, ", text);
        Assert.EndsWith(" more", text);
        Assert.InRange(text.Length, 100, NameList.MostText + " and 1000 more".Length);
        var shown = text[..text.IndexOf(" and ", StringComparison.Ordinal)].Split(", ").Length;
        Assert.Equal($" and {1000 - shown} more", text[text.IndexOf(" and ", StringComparison.Ordinal)..]);
    }

    [Fact]
    public void One_name_is_always_whole() =>
        Assert.Equal(new string('x', 300) + " and 1 more", NameList.Of([new string('x', 300), "y"]));

    [Fact]
    public void Names_that_begin_like_an_unknown_one_come_first_if_not_all_are_shown()
    {
        Assert.StartsWith("s42, s420, ", NameList.Near("s42x", Many));
        Assert.Equal("a, b42", NameList.Near("b4", ["a", "b42"]));
    }
}
