using System.CommandLine;
using System.Globalization;
using System.Text;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>
/// <c>top</c>: a screen of listeners, services and workers that is drawn anew once a second, while it is shown. Not on a
/// terminal it is one frame. A daemon that goes away and comes back is waited for.
/// </summary>
/// <remarks>
/// A frame is drawn into memory; the part of it that the terminal has room for is written in one piece over the last one, each
/// line cleared to its end, and cut at the terminal's edge: nothing flickers, and nothing scrolls away but by the keys.
/// </remarks>
internal sealed class TopCommand : Verb
{
    private const string Enter = "\u001b[?1049h\u001b[?25l\u001b[?7l";
    private const string Leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";
    private const string Home = "\u001b[H";
    private const string ClearLine = "\u001b[K";
    private const string ClearBelow = "\u001b[J";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly WorkerUsage usage;
    private readonly Scroll scroll = new();

    /// <summary>Once services stand before listeners, for want of room, they stay there: nothing jumps.</summary>
    private bool servicesFirst;

    public TopCommand(GlobalOptions options, CommandContext standard)
        : base("top", "A live screen of listeners, services and workers; arrow keys scroll, q or Ctrl-C ends it", "", options, standard) => usage = new WorkerUsage(standard.Clock);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        if (json)
        {
            Json.Write(CommandContext.Output, (byte[])[.. "{\"status\":"u8, .. Trimmed(client.Get("/v1/status")), .. ",\"listeners\":"u8, .. Trimmed(client.Get("/v1/listeners")), .. "}"u8]);
            return ExitCode.Done;
        }

        // A daemon that was never there is an error, as with every other command.
        var (status, listeners) = Ask(client);
        var screen = new Screen(CommandContext);
        if (!screen.IsLive)
        {
            TopFrame.WriteHead(screen, CommandContext.Clock, status, trouble: null);
            TopFrame.WriteListeners(screen, listeners);
            TopFrame.WriteServices(screen, CommandContext.Clock, status, usage);
            return ExitCode.Done;
        }

        try
        {
            Write(Enter);
            Watch(client, status, listeners);
        }
        finally
        {
            Write(Leave);
        }

        return ExitCode.Done;
    }

    private void Watch(ControlClient client, StatusDocument status, IReadOnlyList<ListenerDocument> listeners)
    {
        string? trouble = null;
        client.SuccessorPatience = TimeSpan.Zero;
        var seen = CommandContext.Clock.GetTimestamp();
        while (!CommandContext.OutputIsClosed)
        {
            var asked = CommandContext.Clock.GetTimestamp();
            var frame = Render(status, listeners, trouble);
            Show(frame);
            for (var left = Interval; left > TimeSpan.Zero; left = Interval - CommandContext.Clock.GetElapsedTime(asked))
            {
                if (CommandContext.Key(left) is not { } key)
                {
                    break;
                }

                if (key.KeyChar is 'q' or 'Q' or '\u0003' || key.Key is ConsoleKey.Escape)
                {
                    return;
                }

                if (scroll.TryMove(key))
                {
                    Show(frame.Size == CommandContext.Size() ? frame : frame = Render(status, listeners, trouble));
                }
            }

            try
            {
                (status, listeners) = Ask(client);
                seen = CommandContext.Clock.GetTimestamp();
                trouble = null;
            }
            catch (ControlException error) when (error.ExitCode is ExitCode.Unreachable)
            {
                trouble = $"{error.Message.Split('\n')[0]}; what follows is {HumanTime.Span(CommandContext.Clock.GetElapsedTime(seen))} old, and it is asked again each second";
            }
        }
    }

    private static (StatusDocument Status, IReadOnlyList<ListenerDocument> Listeners) Ask(ControlClient client) =>
        (Json.Read(client.Get("/v1/status"), ControlJson.Default.StatusDocument, client), Json.Read(client.Get("/v1/listeners"), ControlJson.Default.IReadOnlyListListenerDocument, client));

    /// <summary>All lines, whether there is room for them or not.</summary>
    private Frame Render(StatusDocument status, IReadOnlyList<ListenerDocument> listeners, string? trouble)
    {
        const int unlimited = 1000;
        var size = CommandContext.Size();
        var isSmall = size is { Columns: > 0 and < 60 } or { Rows: > 0 and < 12 };
        return new Frame(
            size,
            Lines(isSmall ? (unlimited, size.Rows) : size, screen => TopFrame.WriteHead(screen, CommandContext.Clock, status, trouble, isSmall)),
            Lines(size, screen => TopFrame.WriteListeners(screen, listeners, isSmall)),
            Lines(size, screen => TopFrame.WriteServices(screen, CommandContext.Clock, status, usage, isSmall)));
    }

    private string[] Lines((int Columns, int Rows) size, Action<Screen> write)
    {
        var drawn = new MemoryStream();
        write(new Screen(new CommandContext
        {
            Output = drawn,
            Error = CommandContext.Error,
            OutputIsTerminal = true,
            Size = () => size,
            Clock = CommandContext.Clock,
            Variable = CommandContext.Variable,
        }));
        return drawn.Length == 0 ? [] : Encoding.UTF8.GetString(drawn.ToArray()).TrimEnd('\n').Split('\n');
    }

    /// <summary>The part of it that there is room for.</summary>
    private void Show(Frame frame)
    {
        var (columns, rows) = frame.Size;
        var head = frame.Head.Take(Math.Max(1, (rows > 0 ? rows : 24) - 2)).ToArray();
        var room = Math.Max(0, (rows > 0 ? rows : 24) - 1 - head.Length);
        servicesFirst |= frame.Listeners.Length + frame.Services.Length > room;
        string[] body = servicesFirst ? [.. frame.Services, .. frame.Listeners] : [.. frame.Listeners, .. frame.Services];
        scroll.Fit(body.Length, room);
        var text = new StringBuilder(Home);
        foreach (var line in head.Concat(body.Skip(scroll.First).Take(room)))
        {
            text.Append(line.TrimEnd('\r')).Append(ClearLine).Append('\n');
        }

        if (body.Length > room)
        {
            const int roomForKeys = 70;
            text.Append(CultureInfo.InvariantCulture, $"{scroll.First + 1}-{scroll.First + room} of {body.Length}{(columns is 0 or >= roomForKeys ? "  arrows, PgUp, PgDn, Home, End: scroll" : "  j k")}  ");
        }

        Write(text.Append("q: leave").Append(ClearLine).Append(ClearBelow).ToString());
    }

    private sealed record Frame((int Columns, int Rows) Size, string[] Head, string[] Listeners, string[] Services);

    private void Write(string text)
    {
        CommandContext.Output.Write(Encoding.UTF8.GetBytes(text));
        CommandContext.Output.Flush();
    }

    private static ReadOnlySpan<byte> Trimmed(byte[] document) => document.AsSpan().TrimEnd("\r\n \t"u8);
}
