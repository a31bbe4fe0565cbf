using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// <c>top</c>: a screen of listeners, services and workers that is redrawn once a second. Without a terminal it is one
/// frame. While the daemon is away, the last frame stays.
/// </summary>
/// <remarks>
/// A frame is drawn into memory. Its visible part is written over the last one in one piece, each line cleared to its end
/// and cut at the terminal's edge, so nothing flickers and only keys scroll.
/// </remarks>
internal sealed class TopCommand : DaemonVerb
{
    private const string Enter = "\u001b[?1049h\u001b[?25l\u001b[?7l";
    private const string Leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";
    private const string Home = "\u001b[H";
    private const string ClearLine = "\u001b[K";
    private const string ClearBelow = "\u001b[J";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>The time between the looks of the diagnosis of a single frame.</summary>
    private static readonly TimeSpan ShortLook = TimeSpan.FromMilliseconds(200);

    private readonly WorkerUsage usage;
    private readonly ScrollPosition scroll = new();

    /// <summary>Set when a frame does not fit: services then come first, and stay first so that nothing jumps.</summary>
    private bool servicesFirst;

    private TopOrder order;

    public TopCommand(GlobalOptions options, CommandContext context)
        : base(
            "top", "Show a live screen of findings, listeners, services and workers (arrow keys scroll, s sorts, q quits)", "", options,
            context) =>
        usage = new WorkerUsage(context.Clock);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        if (json)
        {
            byte[] document =
            [
                .. "{\"status\":"u8,
                .. Checked(client.Get("/v1/status"), ControlJson.Default.StatusDocument, client),
                .. ",\"listeners\":"u8,
                .. Checked(client.Get("/v1/listeners"), ControlJson.Default.ListListenerDocument, client),
                .. ",\"diagnosis\":"u8,
                .. Checked(LatestDiagnosis.Ask(client, ShortLook), ControlJson.Default.DiagnosisDocument, client),
                .. "}"u8,
            ];
            Json.Write(Context.Output, document);
            return ExitCode.Done;
        }

        // A daemon that cannot be reached at the start is an error, as with every other verb.
        var (status, listeners) = Ask(client);
        var output = new TextOutput(Context);
        if (!output.IsLive)
        {
            TopFrame.WriteHead(output, Context.Clock, status, trouble: null);
            if (LatestDiagnosis.TryAsk(client, ShortLook) is { } found)
            {
                TopFrame.WriteFindings(output, found);
            }

            TopFrame.WriteListeners(output, listeners, order);
            TopFrame.WriteServices(output, Context.Clock, status, usage, order);
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
        client.SuccessorTimeout = TimeSpan.Zero;
        using var diagnosis = new LatestDiagnosis(client);
        var seen = Context.Clock.GetTimestamp();
        while (!Context.OutputIsClosed)
        {
            var asked = Context.Clock.GetTimestamp();
            var frame = Render(status, listeners, trouble, diagnosis.Document);
            Show(frame);
            for (var left = Interval; left > TimeSpan.Zero; left = Interval - Context.Clock.GetElapsedTime(asked))
            {
                if (Context.Key(left) is not { } key)
                {
                    break;
                }

                if (key.KeyChar is 'q' or 'Q' or '\u0003' || key.Key is ConsoleKey.Escape)
                {
                    return;
                }

                var isSorted = key.KeyChar is 's' or 'S';
                if (isSorted)
                {
                    order = (TopOrder)(((int)order + 1) % Enum.GetValues<TopOrder>().Length);
                }

                if (isSorted || scroll.TryMove(key))
                {
                    var isOld = isSorted || frame.Size != Context.Size();
                    Show(isOld ? frame = Render(status, listeners, trouble, diagnosis.Document) : frame);
                }
            }

            try
            {
                (status, listeners) = Ask(client);
                seen = Context.Clock.GetTimestamp();
                trouble = null;
            }
            catch (ControlException error) when (error.ExitCode is ExitCode.Unreachable)
            {
                var age = HumanTime.Span(Context.Clock.GetElapsedTime(seen));
                trouble = $"{error.Message.Split('\n')[0]}; the data below is {age} old, retrying every second";
            }
        }
    }

    private static (StatusDocument Status, IReadOnlyList<ListenerDocument> Listeners) Ask(ControlClient client) =>
        (Json.Read(client.Get("/v1/status"), ControlJson.Default.StatusDocument, client),
            Json.Read(client.Get("/v1/listeners?options=false&drift=false"), ControlJson.Default.IReadOnlyListListenerDocument, client));

    /// <summary>All lines, visible or not.</summary>
    private Frame Render(
        StatusDocument status, IReadOnlyList<ListenerDocument> listeners, string? trouble, DiagnosisDocument? found)
    {
        const int unlimited = 1000;
        var size = Context.Size();
        var isSmall = size is { Columns: > 0 and < 60 } or { Rows: > 0 and < 12 };
        return new Frame(
            size,
            Lines(isSmall ? (unlimited, size.Rows) : size, output =>
            {
                TopFrame.WriteHead(output, Context.Clock, status, trouble, isSmall);
                if (found is not null)
                {
                    TopFrame.WriteFindings(output, found, isSmall);
                }
            }),
            Lines(size, output => TopFrame.WriteListeners(output, listeners, order, isSmall)),
            Lines(size, output => TopFrame.WriteServices(output, Context.Clock, status, usage, order, isSmall)));
    }

    private string[] Lines((int Columns, int Rows) size, Action<TextOutput> write)
    {
        var drawn = new MemoryStream();
        write(new TextOutput(new CommandContext
        {
            Output = drawn,
            Error = Context.Error,
            OutputIsTerminal = true,
            Size = () => size,
            Clock = Context.Clock,
            Variable = Context.Variable,
        }));
        return drawn.Length == 0 ? [] : Encoding.UTF8.GetString(drawn.ToArray()).TrimEnd('\n').Split('\n');
    }

    /// <summary>Writes the visible part.</summary>
    private void Show(Frame frame)
    {
        var (columns, rows) = frame.Size;
        var head = frame.Head.Take(Math.Max(1, (rows > 0 ? rows : 24) - 2)).ToArray();
        var room = Math.Max(0, (rows > 0 ? rows : 24) - 1 - head.Length);
        servicesFirst |= frame.Listeners.Length + frame.Services.Length > room;
        string[] body = servicesFirst ? [.. frame.Services, .. frame.Listeners] : [.. frame.Listeners, .. frame.Services];
        scroll.SetExtent(body.Length, room);
        var text = new StringBuilder(Home);
        foreach (var line in head.Concat(body.Skip(scroll.First).Take(room)))
        {
            text.Append(line.TrimEnd('\r')).Append(ClearLine).Append('\n');
        }

        if (body.Length > room)
        {
            const int roomForKeys = 70;
            var keys = columns is 0 or >= roomForKeys ? "arrows, PgUp, PgDn, Home, End: scroll" : "j k";
            text.Append(CultureInfo.InvariantCulture, $"{scroll.First + 1}-{scroll.First + room} of {body.Length}  {keys}  ");
        }

        text.Append(order == TopOrder.Configured ? "s: sort  " : $"s: sort (by {order.ToString().ToLowerInvariant()})  ");
        Write(text.Append("q: quit").Append(ClearLine).Append(ClearBelow).ToString());
    }

    private sealed record Frame((int Columns, int Rows) Size, string[] Head, string[] Listeners, string[] Services);

    private void Write(string text)
    {
        Context.Output.Write(Encoding.UTF8.GetBytes(text));
        Context.Output.Flush();
    }

    private static ReadOnlySpan<byte> Checked<T>(byte[] document, JsonTypeInfo<T> type, ControlClient client)
        where T : class
    {
        Json.Read(document, type, client);
        return document.AsSpan().TrimEnd("\r\n \t"u8);
    }
}
