using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Supervisor.Listenctl;

/// <summary>
/// Standard output for people. On a terminal it has colours (unless NO_COLOR says otherwise) and the terminal's width;
/// elsewhere it is plain text as wide as its content, without escape codes and without blanks at the ends of lines.
/// </summary>
internal sealed class Screen : IAnsiConsoleOutput
{
    /// <summary>Wide enough for everything: elsewhere nothing is cut and nothing is wrapped.</summary>
    private const int Unlimited = 1 << 15;

    private readonly CommandContext standard;
    private readonly StringBuilder text = new();

    public Screen(CommandContext standard)
    {
        this.standard = standard;
        IsTerminal = standard.OutputIsTerminal;
        Writer = IsTerminal
            ? new StreamWriter(standard.Output, new UTF8Encoding(false), leaveOpen: true) { AutoFlush = true }
            : new StringWriter(text) { NewLine = "\n" };
        var (columns, rows) = IsTerminal ? standard.Size() : (Unlimited, 1);
        Width = columns > 0 ? columns : 80;
        Height = rows > 0 ? rows : 24;
        var term = standard.Variable("TERM");
        var hasAnsi = IsTerminal && !string.IsNullOrEmpty(term) && term != "dumb";
        HasColor = hasAnsi && string.IsNullOrEmpty(standard.Variable("NO_COLOR"));
        Console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = this,
            Ansi = hasAnsi ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = HasColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = hasAnsi ? InteractionSupport.Yes : InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        Arrow = IsTerminal ? "→" : "->";
    }

    /// <summary>The console behind it.</summary>
    public IAnsiConsole Console { get; }

    /// <summary>Whether lines can be drawn over again.</summary>
    public bool IsLive => Console.Profile.Capabilities.Interactive;

    /// <summary>Whether there are colours.</summary>
    public bool HasColor { get; }

    /// <summary>From the value asked for to the one there is.</summary>
    public string Arrow { get; }

    /// <inheritdoc/>
    public TextWriter Writer { get; }

    /// <inheritdoc/>
    public bool IsTerminal { get; }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public int Height { get; }

    /// <inheritdoc/>
    public void SetEncoding(Encoding encoding)
    {
        // UTF-8 always.
    }

    /// <summary>Writes it at once; where it needs more columns than the terminal has, the terminal breaks the lines and nothing is lost.</summary>
    public void Write(IRenderable renderable, int needs = 0)
    {
        Console.Profile.Width = Math.Max(Width, needs);
        Console.Write(renderable);
        Console.Profile.Width = Width;
        Flush();
    }

    /// <summary>Writes one line.</summary>
    public void Line(Cell cell, int indent = 0) => Write(new Padder(cell.Content(), new Padding(indent, 0, 0, 0)));

    /// <summary>Writes an empty line.</summary>
    public void Line()
    {
        Console.WriteLine();
        Flush();
    }

    private void Flush()
    {
        if (IsTerminal)
        {
            return;
        }

        var lines = text.ToString().Split('\n');
        text.Clear();
        for (var i = 0; i < lines.Length; i++)
        {
            standard.Output.Write(Encoding.UTF8.GetBytes(i < lines.Length - 1 ? lines[i].TrimEnd(' ') + "\n" : lines[i]));
        }

        standard.Output.Flush();
    }
}
