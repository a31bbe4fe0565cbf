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

    internal const string ConfigField = "config";
    internal const string ListenersField = "listeners";
    internal const string ServicesField = "services";

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
        new HistorySnapshot(0, 0, [], []),
        new ServiceEntry { State = ServiceState.Create(SomeService) with { Specs = ImmutableSortedDictionary<int, ServiceSpec>.Empty } },
        new AccessRule { Name = "" },
        new HistoryActor(0, ""),
        new IdentityEntry(),
        new ConfigOrigin(),
        new ManualChanges(),
        new ServiceCounters(),
        new WorkerEntry { Id = 0, Pid = 0, Session = 0, StartedAt = default, NotifyPath = "" },
        new PinEntry { Generation = 0, Kind = "", Device = 0, Inode = 0, Found = "", OwnPath = "", RealPath = "" },
        new HookEntry { Hook = new HookEffect(default, 0), Pid = 0 },
        ServiceState.Create(SomeService) with { Specs = ImmutableSortedDictionary<int, ServiceSpec>.Empty },
        new WorkerState { Id = 0, Slot = 0, Generation = 0, Phase = default, StartedAt = default },
        new SlotState { Index = 0, Generation = 0 },
        new ExitReason(false, ""),
        new RolloutState { Phase = default, From = 0, To = 0, StartedAt = default },
        SomeService,
        new Readiness(ReadinessKind.Notify),
        new RolloutSpec(),
        new RestartSpec(),
        new LivenessSpec(),
        new RecycleSpec(),
        new AutoscaleSpec(),
        new ConnectionSpec(),
        new CgroupLimits(),
        new HookSpec(),
        SomeListener,
        new BindOptions(),
        new BufferOptions(),
        new ListenOptions(),
        new AcceptedOptions(),
        new UnixOptions(),
        new DatagramOptions(),
        new OpenedOptions(),
        new AffinityOptions());

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

    /// <summary>Writes the manifest in pieces, so that only one piece is in memory.</summary>
    public static void Write(Stream stream, DaemonManifest manifest, UnknownFields? unknown = null)
    {
        foreach (var _ in ManifestWriter.WriteInParts(stream, manifest, manifest.Listeners, manifest.Services, unknown))
        {
        }
    }

    /// <summary>Whether two configurations are equal.</summary>
    public static bool AreSame(ConfigEntry one, ConfigEntry other)
    {
        var type = ManifestJson.Default.ConfigEntry;
        return JsonSerializer.SerializeToUtf8Bytes(one, type).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(other, type));
    }

    /// <summary>
    /// Builds on another thread what the reader needs besides the text, while the caller gets the text: a tenth of the time that reading
    /// thousands of listeners takes.
    /// </summary>
    public static void PrepareToRead() => Task.Run(static () => EntryShape.Of(ManifestJson.Default.DaemonManifest));

    /// <summary>
    /// Reads a manifest, with the changes of <paramref name="journal"/> if that belongs to it. On failure <paramref name="error"/>
    /// is the reason, and nothing has changed.
    /// </summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> bytes,
        [NotNullWhen(true)] out DaemonManifest? manifest,
        [NotNullWhen(true)] out UnknownFields? unknown,
        [NotNullWhen(false)] out string? error,
        ReadOnlyMemory<byte> journal = default)
    {
        manifest = null;
        unknown = null;
        try
        {
            // Parse listeners and services one by one: a document for all of them needs many times their size.
            var lines = ElementLines.Of(bytes);
            using var parsed = JsonDocument.Parse(lines.Rest);
            using var changes = JournalReplay.Of(journal, bytes);
            if (Shallow(parsed.RootElement, out var listeners, out var services) is not { } document)
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

            if (changes.HasConfig && document[ConfigField] is JsonObject whole)
            {
                lines.PutInto(whole);
            }

            changes.ApplyTo(document);
            var (configListeners, configServices) = (default(JsonElement), default(JsonElement));
            if (!changes.HasConfig && parsed.RootElement.TryGetProperty(ConfigField, out var configured))
            {
                document[ConfigField] = Shallow(configured, out configListeners, out configServices);
            }

            var large = new LargeFields(parsed.RootElement, document);
            var type = ManifestJson.Default.DaemonManifest;
            unknown = UnknownFields.Of(document, type);
            Complete(document, type);
            var read = document.Deserialize(type)!;
            var reader = new ListenerReader();
            manifest = large.PutInto(read) with
            {
                Config = changes.HasConfig
                    ? read.Config
                    : WithLists(read.Config, lines.Elements(configListeners), lines.Elements(configServices), reader, unknown),
                Listeners = Read(
                    changes.Listeners(lines.Elements(listeners)), ManifestJson.Default.ListenerEntry, unknown, ListenersField, reader.Read),
                Services = Read(changes.Services(lines.Elements(services)), ManifestJson.Default.ServiceEntry, unknown, ServicesField),
            };
            error = null;
            return true;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or ArgumentException
            or KeyNotFoundException)
        {
            manifest = null;
            unknown = null;
            error = $"the state cannot be read: {exception.Message}";
            return false;
        }
    }

    /// <summary>The configuration with its lists, as they are where the journal has not changed them.</summary>
    private static ConfigEntry WithLists(
        ConfigEntry config, IEnumerable<SavedElement> listeners, IEnumerable<SavedElement> services, ListenerReader reader,
        UnknownFields unknown)
    {
        var part = unknown.Part(ConfigField) ?? UnknownFields.None();
        config = config with
        {
            Listeners = Read(listeners, ManifestJson.Default.ListenerSpec, part, ListenersField, reader.ReadSpec),
            Services = Read(services, ManifestJson.Default.ServiceSpec, part, ServicesField),
        };
        unknown.Add(ConfigField, part);
        return config;
    }

    /// <summary>
    /// The document, or the configuration in it, without its lists, which are read separately; null if it is not an object.
    /// </summary>
    private static JsonObject? Shallow(JsonElement root, out JsonElement listeners, out JsonElement services)
    {
        listeners = default;
        services = default;
        if (root.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var document = new JsonObject();
        foreach (var field in root.EnumerateObject())
        {
            if (field.Value.ValueKind == JsonValueKind.Array && field.Name is ListenersField or ServicesField)
            {
                listeners = field.Name == ListenersField ? field.Value : listeners;
                services = field.Name == ServicesField ? field.Value : services;
                document[field.Name] = new JsonArray();
            }
            else
            {
                document[field.Name] = Node(field.Value);
            }
        }

        return document;
    }

    /// <summary>
    /// Reads the elements of a list. An element that has exactly the fields of this version is read without a copy of it in memory;
    /// <paramref name="readLine"/> reads it from its text, or leaves it to this method.
    /// </summary>
    private static ImmutableArray<T> Read<T>(
        IEnumerable<SavedElement> elements, JsonTypeInfo<T> type, UnknownFields unknown, string field,
        Func<ReadOnlyMemory<byte>, T?>? readLine = null)
        where T : class
    {
        var left = UnknownFields.None();
        var read = ImmutableArray.CreateBuilder<T>();
        var shape = EntryShape.Of(type);
        foreach (var element in elements)
        {
            if (element.IsLine && readLine?.Invoke(element.Line) is { } known)
            {
                read.Add(known);
            }
            else if (element.IsLine && shape.Fits(element.Line.Span))
            {
                read.Add(JsonSerializer.Deserialize(element.Line.Span, type)!);
            }
            else if (element is { IsLine: false, Changed: null } && shape.Fits(element.Element))
            {
                read.Add(element.Element.Deserialize(type)!);
            }
            else
            {
                var node = element.Node() ?? throw new FormatException($"an element of \"{field}\" is null");
                left.CollectElement(node, type);
                Complete(node, type);
                read.Add(node.Deserialize(type)!);
            }
        }

        unknown.Add(field, left);
        return read.DrainToImmutable();
    }

    /// <summary>A copy of an element that can be changed.</summary>
    internal static JsonNode? Node(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(element),
        JsonValueKind.Array => JsonArray.Create(element),
        JsonValueKind.Null => null,
        _ => JsonValue.Create(element),
    };

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
