using System.Globalization;

namespace Supervisor.Core;

/// <summary>
/// Names in a sentence or a cell. A configuration can have thousands of them: a text that names each is not read, and the client
/// takes seconds to wrap it.
/// </summary>
public static class NameList
{
    /// <summary>The longest list in characters, without what counts the rest.</summary>
    public const int MostText = 120;

    /// <summary>
    /// The names, separated by commas: all, or the first ones and how many more. <c>a, b</c> or <c>a, b and 998 more</c>. At least one
    /// name is whole.
    /// </summary>
    public static string Of(IEnumerable<string> names) => Of(names as IReadOnlyCollection<string> ?? [.. names], MostText, ", ");

    /// <summary>As <see cref="Of(IEnumerable{string})"/>, with another length and separator: for texts that are longer than names.</summary>
    public static string Of(IReadOnlyCollection<string> names, int mostText, string separator)
    {
        var (length, shown) = (0, 0);
        foreach (var name in names)
        {
            length += name.Length + separator.Length;
            if (shown > 0 && length > mostText)
            {
                break;
            }

            shown++;
        }

        var text = string.Join(separator, names.Take(shown));
        return shown == names.Count ? text : string.Create(CultureInfo.InvariantCulture, $"{text} and {names.Count - shown} more");
    }

    /// <summary>
    /// As <see cref="Of(IEnumerable{string})"/>, for a name that is not among them: those that begin like it come first if not all
    /// are shown.
    /// </summary>
    public static string Near(string unknown, IReadOnlyCollection<string> names) =>
        Of(names.Sum(name => name.Length + 2) <= MostText + 2
            ? names
            : [.. names.OrderByDescending(name => name.AsSpan().CommonPrefixLength(unknown))]);
}
