using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Supervisor.Listenctl.Terminal;

/// <summary>
/// Standard output for people. A terminal gets colours (unless NO_COLOR is set) and lines of its width. A file or a pipe
/// gets plain text as wide as its content, without escape codes and trailing blanks.
/// </summary>
internal sealed class TextOutput : IAnsiConsoleOutput
{
    /// <summary>The width of a file or a pipe: nothing is cut or wrapped.</summary>
    private const int Unlimited = 1 << 15;

    private readonly CommandContext context;
    private readonly StringBuilder text = new();

    public TextOutput(CommandContext context)
    {
        this.context = context;
        IsTerminal = context.OutputIsTerminal;
        Writer = IsTerminal
            ? new StreamWriter(context.Output, new UTF8Encoding(false), leaveOpen: true) { AutoFlush = true }
            : new StringWriter(text) { NewLine = "\n" };
        var (columns, rows) = IsTerminal ? context.Size() : (Unlimited, 1);
        Width = columns > 0 ? columns : 80;
        Height = rows > 0 ? rows : 24;
        var term = context.Variable("TERM");
        var hasAnsi = IsTerminal && !string.IsNullOrEmpty(term) && term != "dumb";
        HasColor = hasAnsi && string.IsNullOrEmpty(context.Variable("NO_COLOR"));
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

    /// <summary>Spectre's console.</summary>
    public IAnsiConsole Console { get; }

    /// <summary>Whether a line can be redrawn in place.</summary>
    public bool IsLive => Console.Profile.Capabilities.Interactive;

    /// <summary>Whether there are colours.</summary>
    public bool HasColor { get; }

    /// <summary>Stands between a requested and an effective value.</summary>
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
        // Always UTF-8.
    }

    /// <summary>Writes and flushes.</summary>
    /// <param name="renderable">What to write.</param>
    /// <param name="minimumWidth">Columns that it needs at least; the terminal wraps what does not fit.</param>
    public void Write(IRenderable renderable, int minimumWidth = 0)
    {
        Console.Profile.Width = Math.Max(Width, minimumWidth);
        Console.Write(renderable);
        Console.Profile.Width = Width;
        Flush();
    }

    /// <summary>Writes one line.</summary>
    public void WriteLine(StyledText line, int indent = 0) => Write(new Padder(line.ToParagraph(HasColor), new Padding(indent, 0, 0, 0)));

    /// <summary>Writes an empty line.</summary>
    public void WriteLine()
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
            context.Output.Write(Encoding.UTF8.GetBytes(i < lines.Length - 1 ? lines[i].TrimEnd(' ') + "\n" : lines[i]));
        }

        context.Output.Flush();
    }
}
