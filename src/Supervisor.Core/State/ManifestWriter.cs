using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using static Supervisor.Core.State.ManifestFormat;

namespace Supervisor.Core.State;

/// <summary>Writes the manifest, in parts. <see cref="ManifestFormat"/> reads it.</summary>
public static class ManifestWriter
{
    /// <summary>
    /// Writes the manifest with other listeners and services, and without the serializer if all of it is known
    /// (<see cref="ManifestJson"/>). Each step of the result writes one more part: the caller decides how much it writes at once.
    /// </summary>
    /// <param name="stream">Gets the text.</param>
    /// <param name="manifest">The manifest.</param>
    /// <param name="listeners">The listeners.</param>
    /// <param name="services">The services.</param>
    /// <param name="unknown">Fields of a predecessor's document that this version does not know.</param>
    /// <param name="written">Gets the places of the elements, counted from the first byte; null if they are not needed.</param>
    public static IEnumerable<int> WriteInParts(
        Stream stream, DaemonManifest manifest, IEnumerable<ListenerEntry> listeners, IEnumerable<ServiceEntry> services,
        UnknownFields? unknown = null, WrittenLists? written = null) => WriteInParts(
            stream, manifest, Elements(manifest.Config.Listeners), Elements(manifest.Config.Services), Elements(listeners), services,
            unknown, written);

    /// <summary>The same with lists of which parts are text already.</summary>
    public static IEnumerable<int> WriteInParts(
        Stream stream, DaemonManifest manifest, IEnumerable<ListPart<ListenerSpec>> configListeners,
        IEnumerable<ListPart<ServiceSpec>> configServices, IEnumerable<ListPart<ListenerEntry>> listeners,
        IEnumerable<ServiceEntry> services, UnknownFields? unknown, WrittenLists? written = null)
    {
        var buffer = new StreamBuffer(stream);
        using var writer = new Utf8JsonWriter(buffer);
        var parts = 0;
        writer.WriteStartObject();
        writer.WriteNumber("format", manifest.Format);
        writer.WriteNumber("least_reader", manifest.LeastReader);
        writer.WriteString("version", manifest.Version);
        writer.WriteNumber("pid", manifest.Pid);
        writer.WriteString("boot_id", manifest.BootId);
        writer.WriteNumber("clock", manifest.Clock);
        writer.WriteString("started_at", manifest.StartedAt);
        writer.WriteString("token_mark", manifest.TokenMark);
        writer.WriteNumber("upgrades", manifest.Upgrades);
        writer.WritePropertyName(ConfigField);
        foreach (var _ in ConfigInParts(
            writer, buffer, manifest.Config, configListeners, configServices, unknown?.Part(ConfigField), written))
        {
            yield return ++parts;
        }

        writer.WritePropertyName(ListenersField);
        using var listenerWriter = new ListenerWriter();
        foreach (var _ in ListInParts(
            writer, buffer, listeners, unknown?.Part(ListenersField), listenerWriter.Write, written?.Listeners))
        {
            yield return ++parts;
        }

        writer.WriteStartArray(ServicesField);
        foreach (var service in services)
        {
            WriteElement(writer, service, unknown?.Part(ServicesField), static (into, entry) => ManifestJson.Write(into, entry));
            writer.Flush();
            yield return ++parts;
        }

        writer.WriteEndArray();
        writer.WritePropertyName("events");
        WritePart(writer, manifest.Events, unknown?.Part("events"), ManifestJson.Write);
        writer.WritePropertyName("descriptors");
        WritePart(writer, manifest.Descriptors, unknown?.Part("descriptors"), static (into, numbers) =>
            JsonSerializer.Serialize(into, numbers, ManifestJson.Default.IReadOnlyDictionaryStringInt32!));
        writer.WritePropertyName("held");
        ManifestJson.Write(writer, manifest.Held);
        foreach (var (name, value) in unknown?.Fields ?? ImmutableDictionary<string, JsonNode?>.Empty)
        {
            writer.WritePropertyName(name);
            WriteNode(writer, value);
        }

        writer.WriteEndObject();
        writer.Flush();
        buffer.Flush();
    }

    /// <summary>Writes the configuration, with a line for each listener.</summary>
    private static IEnumerable<int> ConfigInParts(
        Utf8JsonWriter writer, StreamBuffer buffer, ConfigEntry config, IEnumerable<ListPart<ListenerSpec>> listeners,
        IEnumerable<ListPart<ServiceSpec>> services, UnknownFields? unknown, WrittenLists? written)
    {
        if (unknown is not null)
        {
            WritePart(writer, config, unknown, ManifestJson.Write);
            yield break;
        }

        var own = new ArrayBufferWriter<byte>();
        using (var ownWriter = new Utf8JsonWriter(own))
        {
            ManifestJson.Write(ownWriter, config with { Listeners = [], Services = [] });
        }

        using var fields = JsonDocument.Parse(own.WrittenMemory);
        writer.WriteStartObject();
        foreach (var field in fields.RootElement.EnumerateObject())
        {
            if (field.Name is not (ListenersField or ServicesField))
            {
                field.WriteTo(writer);
                continue;
            }

            writer.WritePropertyName(field.Name);
            foreach (var part in field.Name == ListenersField
                ? ListInParts(writer, buffer, listeners, null, ManifestJson.Write, written?.ConfigListeners)
                : ListInParts(writer, buffer, services, null, ManifestJson.Write, written?.ConfigServices))
            {
                yield return part;
            }
        }

        writer.WriteEndObject();
    }

    private static IEnumerable<ListPart<T>> Elements<T>(IEnumerable<T> elements)
        where T : class =>
        elements.Select(static element => new ListPart<T>(element));

    /// <summary>Writes a list with a line for each element (<see cref="ElementLines"/>).</summary>
    private static IEnumerable<int> ListInParts<T>(
        Utf8JsonWriter writer, StreamBuffer buffer, IEnumerable<ListPart<T>> list, UnknownFields? unknown, Action<Utf8JsonWriter, T> write,
        WrittenList? written)
        where T : class
    {
        var parts = 0;
        writer.WriteStartArray();
        writer.Flush();
        foreach (var part in list)
        {
            buffer.BreakLine();
            var at = buffer.Position + (parts == 0 ? 0 : 1);
            if (part.Element is { } element)
            {
                WriteElement(writer, element, unknown, write);
                writer.Flush();
                written?.Add(at, buffer.Position - at);
            }
            else
            {
                writer.WriteRawValue(part.First.Span, skipInputValidation: true);
                writer.Flush();
                if (part.CopyAt == buffer.Position)
                {
                    buffer.Skip(part.Others.Length);
                }
                else
                {
                    buffer.Write(part.Others.Span);
                }
            }

            yield return ++parts;
        }

        if (parts > 0)
        {
            buffer.BreakLine();
        }

        writer.WriteEndArray();
    }

    /// <summary>Writes a value with the unknown fields that belong to it.</summary>
    internal static void WritePart<T>(Utf8JsonWriter writer, T value, UnknownFields? unknown, Action<Utf8JsonWriter, T> write)
    {
        if (unknown is null)
        {
            write(writer, value);
            return;
        }

        var node = ToNode(value);
        if (node is not null)
        {
            unknown.AddTo(node);
        }

        WriteNode(writer, node);
    }

    /// <summary>Writes an element of a list, where <paramref name="unknown"/> are the unknown fields of the list.</summary>
    internal static void WriteElement<T>(Utf8JsonWriter writer, T value, UnknownFields? unknown, Action<Utf8JsonWriter, T> write)
    {
        if (unknown is null)
        {
            write(writer, value);
            return;
        }

        var node = ToNode(value)!;
        unknown.AddToElement(node);
        node.WriteTo(writer);
    }

    private static JsonNode? ToNode<T>(T value) =>
        JsonSerializer.SerializeToNode(value, (JsonTypeInfo<T>)ManifestJson.Default.Options.GetTypeInfo(typeof(T)));

    private static void WriteNode(Utf8JsonWriter writer, JsonNode? node)
    {
        if (node is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            node.WriteTo(writer);
        }
    }
}
