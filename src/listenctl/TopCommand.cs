using System.CommandLine;
using System.Text;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>
/// <c>top</c>: a screen of listeners, services and workers that is drawn anew once a second, while it is shown. Not on a
/// terminal it is one frame. A daemon that goes away and comes back is waited for.
/// </summary>
/// <remarks>
/// A frame is drawn into memory, cut to the terminal's height and written in one piece over the last one, each line
/// cleared to its end: nothing flickers, and nothing scrolls away.
/// </remarks>
internal sealed class TopCommand : Verb
{
    private const string Enter = "\u001b[?1049h\u001b[?25l";
    private const string Leave = "\u001b[?25h\u001b[?1049l";
    private const string Home = "\u001b[H";
    private const string ClearLine = "\u001b[K";
    private const string ClearBelow = "\u001b[J";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly WorkerUsage usage;

    public TopCommand(GlobalOptions options, Standard standard)
        : base("top", "A live screen of listeners, services and workers; q or Ctrl-C ends it", "", options, standard) => usage = new WorkerUsage(standard.Clock);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        if (json)
        {
            Json.Write(Standard.Output, (byte[])[.. "{\"status\":"u8, .. Trimmed(client.Get("/v1/status")), .. ",\"listeners\":"u8, .. Trimmed(client.Get("/v1/listeners")), .. "}"u8]);
            return ExitCode.Done;
        }

        // A daemon that was never there is an error, as with every other command.
        var (status, listeners) = Ask(client);
        var screen = new Screen(Standard);
        if (!screen.IsLive)
        {
            TopFrame.Write(screen, Standard.Clock, status, listeners, usage, trouble: null);
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
        var seen = Standard.Clock.GetTimestamp();
        while (!Standard.OutputIsClosed)
        {
            Draw(status, listeners, trouble);
            if (Standard.Key(Interval) is { } key && (key.KeyChar is 'q' or 'Q' or '\u0003' || key.Key is ConsoleKey.Escape))
            {
                return;
            }

            try
            {
                (status, listeners) = Ask(client);
                seen = Standard.Clock.GetTimestamp();
                trouble = null;
            }
            catch (ControlException error) when (error.ExitCode is ExitCode.Unreachable)
            {
                trouble = $"{error.Message.Split('\n')[0]}; what follows is {HumanTime.Span(Standard.Clock.GetElapsedTime(seen))} old, and it is asked again each second";
            }
        }
    }

    private static (StatusDocument Status, IReadOnlyList<ListenerDocument> Listeners) Ask(ControlClient client) =>
        (Json.Read(client.Get("/v1/status"), ControlJson.Default.StatusDocument, client), Json.Read(client.Get("/v1/listeners"), ControlJson.Default.IReadOnlyListListenerDocument, client));

    private void Draw(StatusDocument status, IReadOnlyList<ListenerDocument> listeners, string? trouble)
    {
        var (columns, rows) = Standard.Size();
        var drawn = new MemoryStream();
        var screen = new Screen(new Standard
        {
            Output = drawn,
            Error = Standard.Error,
            OutputIsTerminal = true,
            Size = () => (columns, rows),
            Clock = Standard.Clock,
            Variable = Standard.Variable,
        });
        TopFrame.Write(screen, Standard.Clock, status, listeners, usage, trouble);
        var lines = Encoding.UTF8.GetString(drawn.ToArray()).TrimEnd('\n').Split('\n');
        var fits = Math.Max(1, (rows > 0 ? rows : 24) - 1);
        var frame = new StringBuilder(Home);
        foreach (var line in lines.Take(fits))
        {
            frame.Append(line.TrimEnd('\r')).Append(ClearLine).Append('\n');
        }

        var hidden = lines.Length - fits;
        frame.Append(hidden > 0 ? $"{hidden} more line{(hidden == 1 ? "" : "s")}: make the window higher.  " : "").Append("q: leave").Append(ClearLine).Append(ClearBelow);
        Write(frame.ToString());
    }

    private void Write(string text)
    {
        Standard.Output.Write(Encoding.UTF8.GetBytes(text));
        Standard.Output.Flush();
    }

    private static ReadOnlySpan<byte> Trimmed(byte[] document) => document.AsSpan().TrimEnd("\r\n \t"u8);
}
