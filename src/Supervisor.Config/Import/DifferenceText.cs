using System.Globalization;
using System.Text;

namespace Supervisor.Config.Import;

/// <summary>
/// Renders differences for a reader: one block for each reason, under the headings lost, changed and not needed. Blocks and the
/// settings within them are sorted by file and line.
/// </summary>
internal static class DifferenceText
{
    private const string Indent = "  ";

    /// <summary>Comment lines for differences in the order of <see cref="DraftDifferences.Sorted"/>.</summary>
    public static IEnumerable<string> Comments(IEnumerable<ImportDifference> differences)
    {
        foreach (var kind in differences.GroupBy(d => d.Kind))
        {
            yield return $"# {Heading(kind.Key)}:";
            foreach (var line in Blocks(kind).SelectMany(block => CommentText.Lines(block, Indent)))
            {
                yield return line;
            }
        }
    }

    /// <summary>One text for each reason: the settings, then the reason.</summary>
    public static IEnumerable<string> Blocks(IEnumerable<ImportDifference> differences) =>
        differences.GroupBy(d => d.Reason).Select(reason => $"{Places(reason)}: {reason.Key}");

    private static string Heading(DifferenceKind kind) => kind switch
    {
        DifferenceKind.Lost => "lost",
        DifferenceKind.Changed => "changed",
        _ => "not needed",
    };

    /// <summary>The settings as FILE:LINE NAME=VALUE. Settings of the same file name it once.</summary>
    private static string Places(IEnumerable<ImportDifference> differences)
    {
        var places = new StringBuilder();
        string? file = null;
        foreach (var difference in differences)
        {
            places.Append(places.Length > 0 ? ", " : "");
            if (difference.File != file || difference.Line == 0)
            {
                places.Append(CommentText.Value(difference.File));
            }

            file = difference.File;
            if (difference.Line > 0)
            {
                places.Append(CultureInfo.InvariantCulture, $":{difference.Line} {Name(difference)}");
            }
        }

        return places.ToString();
    }

    /// <summary>The setting as NAME=VALUE. If it is not needed, only its name: the reader has nothing to do.</summary>
    private static string Name(ImportDifference difference) => difference switch
    {
        { Setting: null, Value: null or "" } => $"[{CommentText.Value(difference.Section)}]",
        { Setting: null } => $"[{CommentText.Value(difference.Section)}] ({CommentText.Value(difference.Value!)})",
        { Kind: DifferenceKind.NotNeeded } => CommentText.Value(difference.Setting),
        _ => $"{CommentText.Value(difference.Setting)}={CommentText.Value(difference.Value!)}",
    };
}
