using System.Globalization;
using System.Text;

namespace Supervisor.Config.Import;

/// <summary>
/// Renders differences for a reader: one block for each reason, under the headings lost, changed and not needed. Blocks and the
/// settings within them are sorted by file and line. A place of the file that was named last is only a line.
/// </summary>
internal static class DifferenceText
{
    private const string Indent = "  ";

    /// <summary>Comment lines for differences in the order of <see cref="DraftDifferences.Sorted"/>.</summary>
    public static IEnumerable<string> Comments(IEnumerable<ImportDifference> differences)
    {
        foreach (var kind in differences.GroupBy(d => d.Kind))
        {
            // The first block stands on the line of its heading.
            string? file = null;
            var indent = "";
            foreach (var reason in kind.GroupBy(d => d.Reason))
            {
                var text = Block(reason, ref file);
                foreach (var line in CommentText.Lines(indent.Length == 0 ? $"{Heading(kind.Key)}: {text}" : text, indent))
                {
                    yield return line;
                }

                indent = Indent;
            }
        }
    }

    /// <summary>One text for each reason: the settings, then the reason.</summary>
    public static IEnumerable<string> Blocks(IEnumerable<ImportDifference> differences) =>
        differences.GroupBy(d => d.Reason).Select(reason =>
        {
            string? file = null;
            return CommentText.Spaced(Block(reason, ref file));
        });

    private static string Block(IGrouping<string, ImportDifference> reason, ref string? file) =>
        $"{Places(reason, ref file)}: {reason.Key}";

    private static string Heading(DifferenceKind kind) => kind switch
    {
        DifferenceKind.Lost => "lost",
        DifferenceKind.Changed => "changed",
        _ => "not needed",
    };

    /// <summary>The settings as FILE:LINE NAME=VALUE.</summary>
    /// <param name="differences">The settings.</param>
    /// <param name="file">The file that was named last, which is not named again; null for none.</param>
    private static string Places(IEnumerable<ImportDifference> differences, ref string? file)
    {
        var places = new StringBuilder();
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
                places.Append(CultureInfo.InvariantCulture, $":{difference.Line}{CommentText.Glue}{Name(difference)}");
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
