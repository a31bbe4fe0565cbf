using System.Globalization;
using System.Text;
using Supervisor.Core;

namespace Supervisor.Config.Import;

/// <summary>
/// Renders differences for a reader: one block for each reason, under the headings lost, changed and not needed. Blocks and the
/// settings within them are sorted by file and line. A place of the file that was named last is only a line, and the value of a setting
/// stands only where it is named first.
/// </summary>
internal sealed class DifferenceText
{
    private const string Indent = "  ";

    /// <summary>How many settings of a file with one reason are named with lines and values. Of more, only names are.</summary>
    private const int MaxDetailed = 8;

    /// <summary>How many characters the names of many settings have, with what separates them.</summary>
    private const int MaxNames = 102;

    private readonly HashSet<(string File, int Line, string? Setting)> _valued = [];
    private string? _file;
    private bool _isBrief;

    /// <summary>Comment lines for differences in the order of <see cref="DraftDifferences.Sorted"/>.</summary>
    public static IEnumerable<string> Comments(IEnumerable<ImportDifference> differences)
    {
        var text = new DifferenceText();
        foreach (var kind in differences.GroupBy(d => d.Kind))
        {
            // The first block stands on the line of its heading.
            text._file = null;
            var indent = "";
            foreach (var reason in kind.GroupBy(d => d.Reason))
            {
                var block = text.Block(reason);
                foreach (var line in CommentText.Lines(indent.Length == 0 ? $"{Heading(kind.Key)}: {block}" : block, indent))
                {
                    yield return line;
                }

                indent = Indent;
            }
        }
    }

    /// <summary>One text for each reason: the names of the settings, then the reason.</summary>
    /// <param name="differences">The differences.</param>
    /// <param name="file">The file that the reader knows.</param>
    public static IEnumerable<string> Blocks(IEnumerable<ImportDifference> differences, string file)
    {
        var text = new DifferenceText { _file = file, _isBrief = true };
        return differences.GroupBy(d => d.Reason).Select(reason => CommentText.Spaced(text.Block(reason)));
    }

    private string Block(IGrouping<string, ImportDifference> reason)
    {
        var places = new StringBuilder();
        foreach (var file in reason.GroupBy(difference => difference.File))
        {
            var ofFile = file.ToList();
            if (ofFile.Count > MaxDetailed && ofFile.TrueForAll(difference => difference is { Setting: not null, Line: > 0 }))
            {
                Many(places, ofFile);
                continue;
            }

            foreach (var difference in ofFile)
            {
                Place(places, difference, difference.Line);
                if (difference.Line > 0)
                {
                    places.Append(CommentText.Glue).Append(Name(difference));
                }
            }
        }

        return places.Length > 0 ? $"{places}: {reason.Key}" : reason.Key;
    }

    /// <summary>Many settings of a file: its lines from the first to the last one, and the first names.</summary>
    private void Many(StringBuilder places, List<ImportDifference> differences)
    {
        Place(places, differences[0], differences[0].Line);
        places.Append(CultureInfo.InvariantCulture, $"-{differences[^1].Line}");
        var names = differences.Select(difference => CommentText.Value(difference.Setting!)).Distinct().ToList();
        places.Append(CommentText.Glue).Append(NameList.Of(names, MaxNames, ", "));
    }

    /// <summary>FILE:LINE, or :LINE in the file that was named last.</summary>
    private void Place(StringBuilder places, ImportDifference difference, int line)
    {
        places.Append(places.Length > 0 ? ", " : "");
        if (difference.File != _file || (line == 0 && !_isBrief))
        {
            places.Append(CommentText.Value(difference.File));
        }

        _file = difference.File;
        if (line > 0)
        {
            places.Append(CultureInfo.InvariantCulture, $":{line}");
        }
    }

    private static string Heading(DifferenceKind kind) => kind switch
    {
        DifferenceKind.Lost => "lost",
        DifferenceKind.Changed => "changed",
        _ => "not needed",
    };

    /// <summary>The setting as NAME=VALUE. If it is not needed, only its name: the reader has nothing to do.</summary>
    private string Name(ImportDifference difference) => difference switch
    {
        { Setting: null, Value: null or "" } => $"[{CommentText.Value(difference.Section)}]",
        { Setting: null } => $"[{CommentText.Value(difference.Section)}] ({CommentText.Value(difference.Value!)})",
        { Kind: DifferenceKind.NotNeeded } => CommentText.Value(difference.Setting),
        _ when _isBrief || !_valued.Add((difference.File, difference.Line, difference.Setting)) => CommentText.Value(difference.Setting),
        _ => $"{CommentText.Value(difference.Setting)}={CommentText.Value(difference.Value!)}",
    };
}
