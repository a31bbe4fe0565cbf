using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Supervisor.Core.Services;

/// <summary>
/// The placeholders in a command and in values of <c>environment</c>: <c>{slot}</c>, <c>{generation}</c>, <c>{service}</c>,
/// <c>{fds}</c> (the numbers of all descriptors of listeners, separated by commas) and <c>{fd:NAME}</c> (those of one listener).
/// In double braces a placeholder stands for itself: <c>{{slot}}</c> becomes <c>{slot}</c>. Other text in braces stays.
/// </summary>
/// <param name="Service">The service.</param>
/// <param name="Generation">The generation.</param>
/// <param name="Slot">The worker's slot.</param>
/// <param name="Descriptors">The descriptors of the listeners, in their order. A listener with several shards has several.</param>
public sealed partial record Placeholders(
    string Service, int Generation, int Slot, ImmutableArray<(string Listener, int Number)> Descriptors)
{
    private const string Of = "{fd:";
    private const string Names = "slot|generation|service|fds|fd:[A-Za-z0-9_.-]+";

    /// <summary>Whether a text has a placeholder.</summary>
    public static bool AreIn(string text) => text.Contains('{', StringComparison.Ordinal) && Pattern().IsMatch(text);

    /// <summary>The placeholders in a text that stand for descriptors, such as <c>{fds}</c> and <c>{fd:web}</c>.</summary>
    public static IEnumerable<string> DescriptorsIn(string text) =>
        from match in Pattern().Matches(text)
        where match.Groups[1].Success && match.Groups[1].ValueSpan.StartsWith("{fd", StringComparison.Ordinal)
        select match.Value;

    /// <summary>The listener that such a placeholder names; null for <c>{fds}</c>.</summary>
    public static string? ListenerOf(string placeholder) =>
        placeholder.StartsWith(Of, StringComparison.Ordinal) ? placeholder[Of.Length..^1] : null;

    /// <summary>The text in which each placeholder stands for itself.</summary>
    public static string Escape(string text) =>
        AreIn(text) ? Pattern().Replace(text, match => match.Groups[1].Success ? $"{{{match.Value}}}" : $"{{{{{match.Value}}}}}") : text;

    /// <summary>The text with the values of its placeholders.</summary>
    public string Expand(string text) => AreIn(text) ? Pattern().Replace(text, Value) : text;

    private string Value(Match match) => match.Value switch
    {
        ['{', '{', ..] escaped => escaped[1..^1],
        "{slot}" => Text(Slot),
        "{generation}" => Text(Generation),
        "{service}" => Service,
        "{fds}" => string.Join(',', Descriptors.Select(one => Text(one.Number))),
        var descriptor => string.Join(
            ',', Descriptors.Where(one => one.Listener == ListenerOf(descriptor)).Select(one => Text(one.Number))),
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\{\{(?:" + Names + @")\}\}|(\{(?:" + Names + @")\})")]
    private static partial Regex Pattern();
}
