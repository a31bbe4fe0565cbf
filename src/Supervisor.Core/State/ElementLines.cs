using System.Text.Json;
using System.Text.Json.Nodes;

namespace Supervisor.Core.State;

/// <summary>
/// The lists of a state whose elements have a line each. Only such lists have line breaks, because the writer does not indent and text
/// has them escaped. So a list is divided without a look at what is in it: the rest of a state with thousands of listeners is small.
/// </summary>
internal sealed class ElementLines
{
    private readonly List<DividedList> _lists = [];

    private ElementLines(ReadOnlyMemory<byte> rest) => Rest = rest;

    /// <summary>The document, where each list that was divided has only its number.</summary>
    public ReadOnlyMemory<byte> Rest { get; private set; }

    /// <summary>A list that was divided.</summary>
    /// <param name="Text">The text that has it.</param>
    /// <param name="Breaks">Where its line breaks are in the text: one before each element, and one after the last.</param>
    private sealed record DividedList(ReadOnlyMemory<byte> Text, List<int> Breaks);

    /// <summary>Divides a document. The time for thousands of listeners is that of one look at each byte.</summary>
    public static ElementLines Of(ReadOnlyMemory<byte> document)
    {
        var lines = new ElementLines(document);
        var rest = new MemoryStream();
        for (var left = document; ;)
        {
            var begin = left.Span.IndexOf("[\n"u8);
            if (begin < 0 || BreaksOf(left.Span, begin + 1) is not { } breaks)
            {
                if (lines._lists.Count > 0)
                {
                    rest.Write(left.Span);
                    lines.Rest = rest.GetBuffer().AsMemory(0, (int)rest.Length);
                }

                return lines;
            }

            rest.Write(left.Span[..(begin + 1)]);
            JsonSerializer.Serialize(rest, lines._lists.Count, ManifestJson.Default.Int32);
            lines._lists.Add(new DividedList(left, breaks));
            left = left[(breaks[^1] + 1)..];
        }
    }

    /// <summary>The line breaks of a list from the first one on, up to the one before its end; null if it has no end.</summary>
    private static List<int>? BreaksOf(ReadOnlySpan<byte> text, int first)
    {
        var breaks = new List<int>();
        for (var at = first; ;)
        {
            breaks.Add(at);
            var next = text[(at + 1)..];
            if (next.StartsWith("]"u8))
            {
                return breaks;
            }

            var length = next.IndexOf((byte)'\n');
            if (length < 0)
            {
                return null;
            }

            at += length + 1;
        }
    }

    /// <summary>Puts the elements of the lists that were divided into a copy of an object of <see cref="Rest"/>.</summary>
    public void PutInto(JsonObject copy)
    {
        foreach (var (name, value) in copy.ToArray())
        {
            if (value is JsonArray { Count: 1 } list && list[0] is JsonValue number && number.GetValueKind() == JsonValueKind.Number)
            {
                copy[name] = new JsonArray([.. Elements(_lists[number.GetValue<int>()]).Select(element => element.Node())]);
            }
        }
    }

    /// <summary>The elements of a list of <see cref="Rest"/>; none if it is not a list.</summary>
    public IEnumerable<SavedElement> Elements(JsonElement list)
    {
        foreach (var element in list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default)
        {
            if (element.ValueKind != JsonValueKind.Number)
            {
                yield return new SavedElement(element, default, null);
                continue;
            }

            foreach (var line in Elements(_lists[element.GetInt32()]))
            {
                yield return line;
            }
        }
    }

    private static IEnumerable<SavedElement> Elements(DividedList list)
    {
        for (var i = 1; i < list.Breaks.Count; i++)
        {
            // Each line has an element: the first one after a line break, the next ones after one and a comma.
            var from = list.Breaks[i - 1] + 1;
            var line = list.Text[from..list.Breaks[i]];
            yield return new SavedElement(default, line.Span.StartsWith(","u8) ? line[1..] : line, null);
        }
    }
}

/// <summary>An element of a list in a state.</summary>
/// <param name="Element">The element; undefined if it is in one of the others.</param>
/// <param name="Line">The element as text; empty if it is in one of the others.</param>
/// <param name="Changed">A copy that has the changes of the journal; null without changes.</param>
internal readonly record struct SavedElement(JsonElement Element, ReadOnlyMemory<byte> Line, JsonNode? Changed)
{
    /// <summary>Whether the element is text.</summary>
    public bool IsLine => Changed is null && !Line.IsEmpty;

    /// <summary>A copy that can be changed; null if the element is null.</summary>
    public JsonNode? Node() => Changed ?? (IsLine ? JsonNode.Parse(Line.Span) : ManifestFormat.Node(Element));

    /// <summary>The name of a listener, or of a service.</summary>
    public string? Name(Func<JsonElement, JsonElement> specOf)
    {
        if (!IsLine)
        {
            return specOf(Element).GetProperty(JournalFormat.NameField).GetString();
        }

        if (ListenerReader.NameOf(Line.Span) is { } name)
        {
            return name;
        }

        using var parsed = JsonDocument.Parse(Line);
        return specOf(parsed.RootElement).GetProperty(JournalFormat.NameField).GetString();
    }
}
