using System.Text;
using System.Text.RegularExpressions;

namespace Supervisor.Config.Import;

/// <summary>A draft as text, and what each line of the text is.</summary>
internal sealed partial class DraftText
{
    private const int ShortRemark = 40;

    private readonly StringBuilder _text = new();
    private readonly HashSet<string> _said = [];
    private readonly List<(DraftSection Section, DraftLine? Line)?> _lines = [];

    private DraftText()
    {
    }

    /// <summary>The name of the draft in the parser's messages.</summary>
    public const string Name = "listenctl import";

    public string Text => _text.ToString();

    public static DraftText Of(IEnumerable<DraftSection> sections, IEnumerable<ImportDifference> differences)
    {
        var draft = new DraftText();
        foreach (var comment in DifferenceText.Comments(differences))
        {
            draft.Add(comment);
        }

        DraftSection? previous = null;
        foreach (var section in sections)
        {
            draft.Add(section, previous);
            previous = section;
        }

        return draft;
    }

    /// <summary>The section and the setting at a line, from 1; null for a comment. The setting is null for the header.</summary>
    public (DraftSection Section, DraftLine? Line)? At(int line) => line >= 1 && line <= _lines.Count ? _lines[line - 1] : null;

    /// <summary>A message of the parser with places of the other program's files instead of places of the draft.</summary>
    public string WithSources(string message) => Place().Replace(message, match =>
        At(int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)) switch
        {
            { Line.Origin: { } origin } => $"{origin.File}:{origin.Line}",
            { } at => at.Section.Header,
            null => match.Value,
        });

    private void Add(DraftSection section, DraftSection? previous)
    {
        if (_lines.Count > 0)
        {
            Add("");
        }

        foreach (var comment in Origin(section, previous) is { Length: > 0 } origin ? CommentText.Lines(origin) : [])
        {
            Add(comment);
        }

        Add(section.Header, section);
        foreach (var line in section.Lines)
        {
            var start = $"{line.Key} = ";
            Add(section, start + TomlLines.Fold(line.Literal, start.Length), line.Remark, line);
            if (line.Key == "command" && section.Listeners.Count > 0)
            {
                Add(section, $"listeners = {TomlLiteral.Of(section.Listeners)}", section.ListenersRemark, null);
            }
        }
    }

    /// <summary>
    /// The file of a section, unless its name or the section above says it, and the title; empty if there is neither.
    /// </summary>
    private static string Origin(DraftSection section, DraftSection? previous)
    {
        var isSaid = section.File == previous?.File || Path.GetFileNameWithoutExtension(section.File) == section.Name;
        var file = isSaid ? "" : $"from {section.File}";
        var title = section.Title is null ? "" : CommentText.Value(section.Title);
        return file.Length > 0 && title.Length > 0 ? $"{file}: {title}" : file + title;
    }

    /// <summary>A setting. A remark for which its line has no room stands above it. A long remark is written only once.</summary>
    private void Add(DraftSection section, string setting, string? remark, DraftLine? line)
    {
        var isNew = remark?.Length <= ShortRemark || (remark is not null && _said.Add(remark));
        var comments = isNew ? CommentText.Lines(remark!).ToList() : [];
        var isOneLine = !setting.Contains('\n', StringComparison.Ordinal);
        if (comments is [var only] && isOneLine && setting.Length + only.Length + 2 <= CommentText.MaxLine)
        {
            Add($"{setting}  {only}", section, line);
            return;
        }

        comments.ForEach(comment => Add(comment));
        foreach (var part in setting.Split('\n'))
        {
            Add(part, section, line);
        }
    }

    private void Add(string line, DraftSection? section = null, DraftLine? setting = null)
    {
        _text.Append(line).Append('\n');
        _lines.Add(section is null ? null : (section, setting));
    }

    [GeneratedRegex(Name + @":(\d+):\d+")]
    private static partial Regex Place();
}
