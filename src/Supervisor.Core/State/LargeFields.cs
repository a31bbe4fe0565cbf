using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Supervisor.Core.State;

/// <summary>
/// The fields of a state that have a part for each descriptor or event, besides the lists. If they have exactly the fields of this
/// version, they are read without a copy of them in memory.
/// </summary>
internal sealed class LargeFields
{
    private readonly StreamEntry? _events;
    private readonly IReadOnlyDictionary<string, int>? _descriptors;
    private readonly HeldEntry? _held;

    /// <summary>Reads them, and removes those that were read from a copy of the document.</summary>
    public LargeFields(JsonElement root, JsonObject document)
    {
        _events = Read(root, document, "events", ManifestJson.Default.StreamEntry);
        _descriptors = Read(root, document, "descriptors", ManifestJson.Default.IReadOnlyDictionaryStringInt32);
        _held = Read(root, document, "held", ManifestJson.Default.HeldEntry);
    }

    /// <summary>The manifest with those that were read.</summary>
    public DaemonManifest PutInto(DaemonManifest manifest) => manifest with
    {
        Events = _events ?? manifest.Events,
        Descriptors = _descriptors ?? manifest.Descriptors,
        Held = _held ?? manifest.Held,
    };

    private static T? Read<T>(JsonElement root, JsonObject document, string name, JsonTypeInfo<T> type)
        where T : class
    {
        if (!root.TryGetProperty(name, out var element) || element.ValueKind != JsonValueKind.Object || !EntryShape.Of(type).Fits(element))
        {
            return null;
        }

        document[name] = null;
        return element.Deserialize(type);
    }
}
