using System.Text;

namespace Supervisor.Manual;

/// <summary>Text in the man macros, groff_man(7).</summary>
internal sealed class Roff
{
    private readonly StringBuilder text = new();

    public Roff(string name, int section, string summary)
    {
        text.Append(".\\\" Written by \"make manual\" from the tables of the parsers; do not edit.\n");
        text.Append($".TH {name.ToUpperInvariant()} {section} \"\" \"listend\"\n.nh\n.nr HY 0\n.ad l\n");
        Section("NAME");
        text.Append($"{Escape(name)} \\- {Escape(summary)}\n");
    }

    public override string ToString() => text.ToString();

    public Roff Section(string heading)
    {
        text.Append($".SH {Quote(heading)}\n");
        return this;
    }

    public Roff Subsection(string heading)
    {
        text.Append($".SS {Quote(heading)}\n");
        return this;
    }

    /// <summary>A paragraph; words between ` are bold.</summary>
    public Roff Text(string words)
    {
        text.Append(".PP\n").Append(Line(words));
        return this;
    }

    /// <summary>A term, with its meaning below.</summary>
    public Roff Term(string term, string meaning, string? more = null)
    {
        text.Append($".TP\n.B {Quote(term)}\n").Append(Line(meaning));
        if (more is not null)
        {
            text.Append(".br\n").Append(Line(more));
        }

        return this;
    }

    /// <summary>Lines without filling.</summary>
    public Roff Example(string lines)
    {
        text.Append(".PP\n.EX\n.in +4n\n");
        foreach (var line in lines.TrimEnd('\n').Split('\n'))
        {
            text.Append(Protect(Escape(line))).Append('\n');
        }

        text.Append(".in\n.EE\n");
        return this;
    }

    private static string Line(string words)
    {
        var parts = words.Split('`');
        var line = new StringBuilder();
        for (var i = 0; i < parts.Length; i++)
        {
            line.Append(i % 2 == 1 ? $"\\fB{Escape(parts[i])}\\fR" : Escape(parts[i]));
        }

        return Protect(line.ToString()) + "\n";
    }

    private static string Quote(string text) => $"\"{Escape(text).Replace("\"", "\\(dq", StringComparison.Ordinal)}\"";

    private static string Escape(string text) => text
        .Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal)
        .Replace("'", "\\(aq", StringComparison.Ordinal).Replace("~", "\\(ti", StringComparison.Ordinal)
        .Replace("^", "\\(ha", StringComparison.Ordinal);

    /// <summary>Protects a line that begins with a dot: groff would take it for a request.</summary>
    private static string Protect(string line) => line.StartsWith('.') ? "\\&" + line : line;
}
