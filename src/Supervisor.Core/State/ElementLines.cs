using System.Text.Json;
using System.Text.Json.Nodes;

namespace Supervisor.Core.State;

/// <summary>
/// The lists of a state whose elements have a line each. Only such lists have line breaks, because the writer does not indent and text
/// has them escaped. So a list is divided without a look at what is in it: the rest of a state with thousands of listeners is small.
/// </summary>
internal sealed class ElementLines
{
    private readonly List<ReadOnlyMemory<byte>> _lists = [];

    private ElementLines(ReadOnlyMemory<byte> rest) => Rest = rest;

    /// <summary>The document, where each list that was divided has only its number.</summary>
    public ReadOnlyMemory<byte> Rest { get; private set; }

    /// <summary>Divides a document.</summary>
    public static ElementLines Of(ReadOnlyMemory<byte> document)
    {
        var lines = new ElementLines(document);
        var rest = new MemoryStream();
        for (var left = document; ;)
        {
            var begin = left.Span.IndexOf("[\n"u8);
            var end = begin < 0 ? -1 : left.Span[begin..].IndexOf("\n]"u8);
            if (end < 0)
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
            lines._lists.Add(left.Slice(begin + 1, end));
            left = left[(begin + end + 1)..];
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

    private static IEnumerable<SavedElement> Elements(ReadOnlyMemory<byte> list)
    {
        for (var left = list; left.Length > 1;)
        {
            // Each line has an element: the first one after a line break, the next ones after one and a comma.
            var from = left.Span[1] == ',' ? 2 : 1;
            var length = left.Span[1..].IndexOf((byte)'\n');
            var end = length < 0 ? left.Length : length + 1;
            yield return new SavedElement(default, left[from..end], null);
            left = left[end..];
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
