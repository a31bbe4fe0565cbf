using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Core.Workers;

namespace Supervisor.Core.State;

/// <summary>
/// Reads and writes the manifest. The reader is often older or newer than the writer. It keeps fields that it does not know and
/// passes them on (<see cref="UnknownFields"/>). Fields that the writer did not know get the value of a new record.
/// </summary>
public static class ManifestFormat
{
    /// <summary>The format that this version writes, which is the newest that it reads.</summary>
    public const int Current = 1;

    /// <summary>The oldest format that a reader must know to read what this version writes.</summary>
    public const int LeastReader = 1;

    private const string ListenersField = "listeners";

    /// <summary>
    /// The values of fields that the writer did not know. The records' initializers define them, but the serializer's generated
    /// code overwrites every init-only property. One instance of each record with such initializers.
    /// </summary>
    private static readonly ImmutableDictionary<Type, JsonObject> Defaults = Default(
        new DaemonManifest
        {
            Format = 0,
            LeastReader = 0,
            Version = "",
            Pid = 0,
            BootId = "",
            Clock = 0,
            StartedAt = default,
            Config = new ConfigEntry { Listeners = [], Services = [] },
            Listeners = [],
            Services = [],
        },
        new ConfigEntry { Listeners = [], Services = [] },
        new ListenerEntry { Spec = SomeListener, History = new HistorySnapshot(0, 0, [], []) },
        new ServiceEntry { State = ServiceState.Create(SomeService) with { Specs = ImmutableSortedDictionary<int, ServiceSpec>.Empty } },
        new HistoryActor(0, ""),
        new IdentityEntry(),
        new WorkerEntry { Id = 0, Pid = 0, Session = 0, StartedAt = default, NotifyPath = "" },
        new PinEntry { Generation = 0, Kind = "", Device = 0, Inode = 0, Found = "", OwnPath = "", RealPath = "" },
        new HookEntry { Hook = new HookEffect(default, 0), Pid = 0 },
        ServiceState.Create(SomeService) with { Specs = ImmutableSortedDictionary<int, ServiceSpec>.Empty },
        new WorkerState { Id = 0, Slot = 0, Generation = 0, Phase = default, StartedAt = default },
        new SlotState { Index = 0, Generation = 0 },
        new ExitReason(false, ""),
        new RolloutState { Phase = default, From = 0, To = 0, StartedAt = default },
        SomeService,
        new RolloutSpec(),
        new RestartSpec(),
        new HookSpec(),
        SomeListener,
        new BindOptions(),
        new BufferOptions(),
        new ListenOptions(),
        new AcceptedOptions(),
        new UnixOptions(),
        new DatagramOptions());

    private static ServiceSpec SomeService => new() { Name = "", Command = [] };

    private static ListenerSpec SomeListener => new() { Name = "", Address = ListenAddress.AnyFamily(ListenerKind.Tcp, 0) };

    /// <summary>The types whose fields have defaults.</summary>
    internal static IEnumerable<Type> WithDefaults => Defaults.Keys;

    /// <summary>
    /// The manifest as JSON; <paramref name="unknown"/> are fields of a predecessor's document that this version does not know.
    /// </summary>
    public static byte[] Write(DaemonManifest manifest, UnknownFields? unknown = null)
    {
        using var bytes = new MemoryStream();
        Write(bytes, manifest, unknown);
        return bytes.ToArray();
    }

    /// <summary>
    /// Writes the manifest in pieces, so that only one piece is in memory, and without the serializer if all of it is known
    /// (<see cref="ManifestJson"/>). <paramref name="listeners"/> is the output of an earlier <see cref="WriteListeners"/>:
    /// there are thousands of listeners, and they rarely change.
    /// </summary>
    public static void Write(Stream stream, DaemonManifest manifest, UnknownFields? unknown = null, Action<Stream>? listeners = null)
    {
        var buffer = new StreamBuffer(stream);
        using var writer = new Utf8JsonWriter(buffer);
        var isFirst = true;

        Value("format", manifest.Format, static (writer, number) => writer.WriteNumberValue(number));
        Value("least_reader", manifest.LeastReader, static (writer, number) => writer.WriteNumberValue(number));
        Value("version", manifest.Version, static (writer, text) => writer.WriteStringValue(text));
        Value("pid", manifest.Pid, static (writer, number) => writer.WriteNumberValue(number));
        Value("boot_id", manifest.BootId, static (writer, text) => writer.WriteStringValue(text));
        Value("clock", manifest.Clock, static (writer, number) => writer.WriteNumberValue(number));
        Value("started_at", manifest.StartedAt, static (writer, time) => writer.WriteStringValue(time));
        Value("token_mark", manifest.TokenMark, static (writer, text) => writer.WriteStringValue(text));
        Value("upgrades", manifest.Upgrades, static (writer, number) => writer.WriteNumberValue(number));
        Value("config", manifest.Config, ManifestJson.Write);
        Name(ListenersField);
        buffer.Flush();
        (listeners ?? (into => WriteListeners(into, manifest.Listeners, unknown)))(stream);
        Value("services", manifest.Services, static (writer, services) =>
        {
            writer.WriteStartArray();
            foreach (var service in services)
            {
                ManifestJson.Write(writer, service);
            }

            writer.WriteEndArray();
        });
        Value("events", manifest.Events, ManifestJson.Write);
        Value("descriptors", manifest.Descriptors, static (writer, numbers) =>
            JsonSerializer.Serialize(writer, numbers, ManifestJson.Default.ImmutableSortedDictionaryStringInt32!));
        foreach (var (name, value) in unknown?.Fields ?? ImmutableDictionary<string, JsonNode?>.Empty)
        {
            Name(name);
            Write(writer, value);
        }

        buffer.Write("}"u8);
        buffer.Flush();

        void Name(string name)
        {
            buffer.Write(isFirst ? "{\""u8 : ",\""u8);
            isFirst = false;
            buffer.Write(JsonEncodedText.Encode(name).EncodedUtf8Bytes);
            buffer.Write("\":"u8);
        }

        void Value<T>(string name, T value, Action<Utf8JsonWriter, T> write)
        {
            Name(name);
            if (unknown?.Part(name) is { } part)
            {
                var node = JsonSerializer.SerializeToNode(value, (JsonTypeInfo<T>)ManifestJson.Default.Options.GetTypeInfo(typeof(T)));
                if (node is not null)
                {
                    part.AddTo(node);
                }

                Write(writer, node);
                return;
            }

            write(writer, value);
            writer.Flush();
            writer.Reset();
        }
    }

    /// <summary>Writes the value of the field "listeners".</summary>
    public static void WriteListeners(Stream stream, ImmutableArray<ListenerEntry> listeners, UnknownFields? unknown = null)
    {
        var buffer = new StreamBuffer(stream);
        using var writer = new Utf8JsonWriter(buffer);
        var known = unknown?.Part(ListenersField);
        writer.WriteStartArray();
        foreach (var listener in listeners)
        {
            if (known is null)
            {
                ManifestJson.Write(writer, listener);
            }
            else
            {
                var node = JsonSerializer.SerializeToNode(listener, ManifestJson.Default.ListenerEntry)!;
                known.AddToElement(node);
                node.WriteTo(writer);
            }
        }

        writer.WriteEndArray();
        writer.Flush();
        buffer.Flush();
    }

    /// <summary>Whether two configurations are equal.</summary>
    public static bool AreSame(ConfigEntry one, ConfigEntry other)
    {
        var type = ManifestJson.Default.ConfigEntry;
        return JsonSerializer.SerializeToUtf8Bytes(one, type).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(other, type));
    }

    /// <summary>Reads a manifest. On failure <paramref name="error"/> is the reason, and nothing has changed.</summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> bytes,
        [NotNullWhen(true)] out DaemonManifest? manifest,
        [NotNullWhen(true)] out UnknownFields? unknown,
        [NotNullWhen(false)] out string? error)
    {
        manifest = null;
        unknown = null;
        try
        {
            // Parse listeners one by one: a document for all of them needs many times their size.
            using var parsed = JsonDocument.Parse(bytes);
            if (Shallow(parsed.RootElement, out var listeners) is not { } document)
            {
                error = "the state is not a JSON object";
                return false;
            }

            if (Number(document, "format") is not { } format || Number(document, "least_reader") is not { } least)
            {
                error = "the state has no \"format\" or no \"least_reader\"";
                return false;
            }

            if (least > Current)
            {
                error = string.Create(
                    CultureInfo.InvariantCulture,
                    $"the state has format {format} and needs a reader for format {least}; this version reads formats up to {Current}");
                return false;
            }

            var type = ManifestJson.Default.DaemonManifest;
            unknown = UnknownFields.Of(document, type);
            Complete(document, type);
            manifest = document.Deserialize(type)! with { Listeners = ReadListeners(listeners, unknown) };
            error = null;
            return true;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            manifest = null;
            unknown = null;
            error = $"the state cannot be read: {exception.Message}";
            return false;
        }
    }

    /// <summary>The document without its listeners, which are read separately; null if it is not an object.</summary>
    private static JsonObject? Shallow(JsonElement root, out JsonElement listeners)
    {
        listeners = default;
        if (root.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var document = new JsonObject();
        foreach (var field in root.EnumerateObject())
        {
            if (field.Name == ListenersField && field.Value.ValueKind == JsonValueKind.Array)
            {
                listeners = field.Value;
                document[field.Name] = new JsonArray();
            }
            else
            {
                document[field.Name] = Node(field.Value);
            }
        }

        return document;
    }

    private static ImmutableArray<ListenerEntry> ReadListeners(JsonElement listeners, UnknownFields unknown)
    {
        var type = ManifestJson.Default.ListenerEntry;
        var left = UnknownFields.None();
        var read = ImmutableArray.CreateBuilder<ListenerEntry>(listeners.GetArrayLength());
        foreach (var element in listeners.EnumerateArray())
        {
            var node = Node(element) ?? throw new FormatException("a listener is null");
            left.CollectElement(node, type);
            Complete(node, type);
            read.Add(node.Deserialize(type)!);
        }

        unknown.Add(ListenersField, left);
        return read.MoveToImmutable();
    }

    private static JsonNode? Node(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(element),
        JsonValueKind.Array => JsonArray.Create(element),
        JsonValueKind.Null => null,
        _ => JsonValue.Create(element),
    };

    private static void Write(Utf8JsonWriter writer, JsonNode? node)
    {
        if (node is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            node.WriteTo(writer);
        }

        writer.Flush();
        writer.Reset();
    }

    private static int? Number(JsonObject document, string name) =>
        document[name] is JsonValue value && value.TryGetValue(out int number) ? number : null;

    /// <summary>Adds the fields that the writer did not know, with their default values.</summary>
    private static void Complete(JsonNode? node, JsonTypeInfo type)
    {
        switch (node, type.Kind)
        {
            case (JsonObject fields, JsonTypeInfoKind.Object):
                var defaults = Defaults.GetValueOrDefault(type.Type);
                foreach (var property in type.Properties)
                {
                    if (fields.TryGetPropertyValue(property.Name, out var value))
                    {
                        Complete(value, type.Options.GetTypeInfo(property.PropertyType));
                    }
                    else if (!property.IsRequired
                        && defaults is not null
                        && defaults.TryGetPropertyValue(property.Name, out var given)
                        && given is not null)
                    {
                        fields.Add(property.Name, given.DeepClone());
                    }
                }

                break;
            case (JsonArray items, JsonTypeInfoKind.Enumerable):
                foreach (var item in items)
                {
                    Complete(item, type.Options.GetTypeInfo(type.ElementType!));
                }

                break;
            case (JsonObject entries, JsonTypeInfoKind.Dictionary):
                foreach (var (_, entry) in entries)
                {
                    Complete(entry, type.Options.GetTypeInfo(type.ElementType!));
                }

                break;
            default:
                break;
        }
    }

    private static ImmutableDictionary<Type, JsonObject> Default(params object[] instances)
    {
        var options = ManifestJson.Default.Options;
        return instances.ToImmutableDictionary(
            instance => instance.GetType(),
            instance => (JsonObject)JsonSerializer.SerializeToNode(instance, options.GetTypeInfo(instance.GetType()))!);
    }
}
