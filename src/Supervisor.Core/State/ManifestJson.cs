using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;

namespace Supervisor.Core.State;

/// <summary>
/// Source-generated JSON of the manifest. Enumerations are written by name, so their numbers may change. Types with their own
/// format declare it by attribute: a converter for the whole context would disable the generated writers.
/// </summary>
/// <remarks>
/// The state that changes with each worker is written by that generated code only. The serializer would first build metadata of
/// every type: 5 ms and half a megabyte at the daemon's start (200 workers, measured by tests/Bench/StartBenchmark).
/// </remarks>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(DaemonManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext
{
    /// <summary>Writes the configuration.</summary>
    public static void Write(Utf8JsonWriter writer, ConfigEntry config) => Default.ConfigEntrySerializeHandler(writer, config);

    /// <summary>
    /// Writes what distinguishes the configuration from <paramref name="written"/>, for the journal (<see cref="JournalFormat"/>): its
    /// own fields, and the listeners and services that are other objects there.
    /// </summary>
    public static void Write(Utf8JsonWriter writer, ConfigEntry config, ConfigEntry written)
    {
        writer.WriteStartObject();
        writer.WritePropertyName(JournalFormat.EntryField);
        Write(writer, config with { Listeners = [], Services = [] });
        WriteList(
            writer, PropName_listeners, config.Listeners, written.Listeners, static listener => listener.Name,
            Default.ListenerSpecSerializeHandler);
        WriteList(
            writer, PropName_services, config.Services, written.Services, static service => service.Name,
            Default.ServiceSpecSerializeHandler);
        writer.WriteEndObject();
    }

    /// <summary>Writes the specification of a listener.</summary>
    public static void Write(Utf8JsonWriter writer, ListenerSpec spec) => Default.ListenerSpecSerializeHandler(writer, spec);

    /// <summary>Writes the specification of a service.</summary>
    public static void Write(Utf8JsonWriter writer, ServiceSpec spec) => Default.ServiceSpecSerializeHandler(writer, spec);

    /// <summary>Writes a listener.</summary>
    public static void Write(Utf8JsonWriter writer, ListenerEntry listener) => Default.ListenerEntrySerializeHandler(writer, listener);

    /// <summary>Writes a stream.</summary>
    public static void Write(Utf8JsonWriter writer, StreamEntry? stream) => Default.StreamEntrySerializeHandler(writer, stream);

    /// <summary>Writes what the keeper holds.</summary>
    public static void Write(Utf8JsonWriter writer, HeldEntry? held) => Default.HeldEntrySerializeHandler(writer, held);

    /// <summary>Writes an entry of a history.</summary>
    public static void Write(Utf8JsonWriter writer, HistoryEntry entry) => Default.HistoryEntrySerializeHandler(writer, entry);

    /// <summary>
    /// Writes a service; with <paramref name="written"/> without what is large and the same there, for the journal
    /// (<see cref="JournalFormat"/>). Handwritten because of that, and because of <see cref="ServiceState.Specs"/>: no code is
    /// generated for dictionaries with numeric keys.
    /// </summary>
    public static void Write(Utf8JsonWriter writer, ServiceEntry service, ServiceEntry? written = null)
    {
        writer.WriteStartObject();
        writer.WritePropertyName(PropName_state);
        Write(writer, service.State, written?.State);
        writer.WriteString(PropName_blocked, service.Blocked);
        writer.WritePropertyName(PropName_manual);
        Default.ManualChangesSerializeHandler(writer, service.Manual);
        if (written is null || !ReferenceEquals(service.Identity, written.Identity))
        {
            writer.WritePropertyName(PropName_identity);
            Default.IdentityEntrySerializeHandler(writer, service.Identity);
        }

        WriteList(
            writer, PropName_workers, service.Workers, written?.Workers, static worker => worker.Id, Default.WorkerEntrySerializeHandler);
        writer.WritePropertyName(PropName_stored);
        Default.ImmutableArrayStoredEntrySerializeHandler(writer, service.Stored);
        writer.WritePropertyName(PropName_hook);
        Default.HookEntrySerializeHandler(writer, service.Hook);
        writer.WritePropertyName(PropName_waiting_hooks);
        Default.ImmutableArrayHookEffectSerializeHandler(writer, service.WaitingHooks);
        if (written is null || !service.Pins.AsSpan().SequenceEqual(written.Pins.AsSpan()))
        {
            writer.WritePropertyName(PropName_pins);
            Default.ImmutableArrayPinEntrySerializeHandler(writer, service.Pins);
        }

        writer.WritePropertyName(PropName_output);
        Write(writer, service.Output);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ServiceState state, ServiceState? written)
    {
        writer.WriteStartObject();
        var isSame = written is not null && ReferenceEquals(state.Spec, written.Spec);
        if (!isSame)
        {
            writer.WritePropertyName(PropName_spec);
            Default.ServiceSpecSerializeHandler(writer, state.Spec);
        }

        if (!isSame || !ReferenceEquals(state.Specs, written!.Specs))
        {
            WriteSpecs(writer, state, isForJournal: written is not null);
        }

        writer.WriteBoolean(PropName_wanted, state.IsStarted);
        writer.WriteBoolean(PropName_awaits_demand, state.AwaitsDemand);
        writer.WritePropertyName(PropName_held_for);
        Default.ImmutableArrayStringSerializeHandler(writer, state.HeldFor);
        writer.WriteNumber(PropName_total_restarts, state.TotalRestarts ?? 0);
        writer.WriteNumber(PropName_desired, state.Desired);
        writer.WriteNumber(PropName_generation, state.Generation);
        writer.WriteNumber(PropName_newest_generation, state.NewestGeneration);
        writer.WriteNumber(PropName_next_worker_id, state.NextWorkerId);
        WriteList(
            writer, PropName_workers, state.Workers, written?.Workers, static worker => worker.Id, Default.WorkerStateSerializeHandler);
        WriteList(writer, PropName_slots, state.Slots, written?.Slots, static slot => slot.Index, Default.SlotStateSerializeHandler);
        writer.WritePropertyName(PropName_rollout);
        Default.RolloutStateSerializeHandler(writer, state.Rollout);
        writer.WriteNumber(PropName_cut, state.Cut);
        writer.WritePropertyName(PropName_counters);
        Default.ServiceCountersSerializeHandler(writer, state.Counters);
        writer.WritePropertyName(PropName_prepared);
        Default.ImmutableSortedSetInt32SerializeHandler(writer, state.Prepared);
        Write(writer, PropName_preparing, state.Preparing);
        Write(writer, PropName_unprepared, state.Unprepared);
        Write(writer, PropName_announced, state.Announced);
        writer.WriteEndObject();
    }

    /// <summary>The specifications of the generations; in the journal null for one that is the present specification.</summary>
    private static void WriteSpecs(Utf8JsonWriter writer, ServiceState state, bool isForJournal)
    {
        writer.WriteStartObject(PropName_specs);
        foreach (var (generation, spec) in state.Specs)
        {
            writer.WritePropertyName(generation.ToString(CultureInfo.InvariantCulture));
            Default.ServiceSpecSerializeHandler(writer, isForJournal && ReferenceEquals(spec, state.Spec) ? null : spec);
        }

        writer.WriteEndObject();
    }

    /// <summary>
    /// Writes a list. With <paramref name="written"/> only the elements that are other objects, and the identities of those that are
    /// gone; nothing if there are none, and the whole list if elements have changed places.
    /// </summary>
    private static void WriteList<T, TKey>(
        Utf8JsonWriter writer, JsonEncodedText name, ImmutableArray<T> items, ImmutableArray<T>? written, Func<T, TKey> identity,
        Action<Utf8JsonWriter, T?> write)
        where T : class
        where TKey : IEquatable<TKey>
    {
        if (written is not { } before || ListChange.Between(before, items, identity) is not { } change)
        {
            writer.WriteStartArray(name);
            foreach (var item in items)
            {
                write(writer, item);
            }

            writer.WriteEndArray();
            return;
        }

        if (change.IsEmpty)
        {
            return;
        }

        writer.WriteStartObject(name);
        writer.WriteStartArray(JournalFormat.GoneField);
        foreach (var gone in change.Gone)
        {
            if (gone is int number)
            {
                writer.WriteNumberValue(number);
            }
            else
            {
                writer.WriteStringValue(gone.ToString());
            }
        }

        writer.WriteEndArray();
        writer.WriteStartArray(JournalFormat.SetField);
        foreach (var set in change.Set)
        {
            write(writer, set);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, JsonEncodedText name, int? number)
    {
        if (number is { } given)
        {
            writer.WriteNumber(name, given);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
