using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
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

    /// <summary>Writes a listener.</summary>
    public static void Write(Utf8JsonWriter writer, ListenerEntry listener) => Default.ListenerEntrySerializeHandler(writer, listener);

    /// <summary>Writes a stream.</summary>
    public static void Write(Utf8JsonWriter writer, StreamEntry? stream) => Default.StreamEntrySerializeHandler(writer, stream);

    /// <summary>
    /// Writes a service. Handwritten because of <see cref="ServiceState.Specs"/>: no code is generated for dictionaries with
    /// numeric keys.
    /// </summary>
    public static void Write(Utf8JsonWriter writer, ServiceEntry service)
    {
        writer.WriteStartObject();
        writer.WritePropertyName(PropName_state);
        Write(writer, service.State);
        writer.WriteString(PropName_blocked, service.Blocked);
        writer.WritePropertyName(PropName_manual);
        Default.ManualChangesSerializeHandler(writer, service.Manual);
        writer.WritePropertyName(PropName_identity);
        Default.IdentityEntrySerializeHandler(writer, service.Identity);
        writer.WritePropertyName(PropName_workers);
        Default.ImmutableArrayWorkerEntrySerializeHandler(writer, service.Workers);
        writer.WritePropertyName(PropName_stored);
        Default.ImmutableArrayStoredEntrySerializeHandler(writer, service.Stored);
        writer.WritePropertyName(PropName_hook);
        Default.HookEntrySerializeHandler(writer, service.Hook);
        writer.WritePropertyName(PropName_waiting_hooks);
        Default.ImmutableArrayHookEffectSerializeHandler(writer, service.WaitingHooks);
        writer.WritePropertyName(PropName_pins);
        Default.ImmutableArrayPinEntrySerializeHandler(writer, service.Pins);
        writer.WritePropertyName(PropName_output);
        Write(writer, service.Output);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ServiceState state)
    {
        writer.WriteStartObject();
        writer.WritePropertyName(PropName_spec);
        Default.ServiceSpecSerializeHandler(writer, state.Spec);
        writer.WriteStartObject(PropName_specs);
        foreach (var (generation, spec) in state.Specs)
        {
            writer.WritePropertyName(generation.ToString(CultureInfo.InvariantCulture));
            Default.ServiceSpecSerializeHandler(writer, spec);
        }

        writer.WriteEndObject();
        writer.WriteBoolean(PropName_wanted, state.IsStarted);
        writer.WriteBoolean(PropName_awaits_demand, state.AwaitsDemand);
        writer.WriteNumber(PropName_total_restarts, state.TotalRestarts ?? 0);
        writer.WriteNumber(PropName_desired, state.Desired);
        writer.WriteNumber(PropName_generation, state.Generation);
        writer.WriteNumber(PropName_newest_generation, state.NewestGeneration);
        writer.WriteNumber(PropName_next_worker_id, state.NextWorkerId);
        writer.WritePropertyName(PropName_workers);
        Default.ImmutableArrayWorkerStateSerializeHandler(writer, state.Workers);
        writer.WritePropertyName(PropName_slots);
        Default.ImmutableArraySlotStateSerializeHandler(writer, state.Slots);
        writer.WritePropertyName(PropName_rollout);
        Default.RolloutStateSerializeHandler(writer, state.Rollout);
        writer.WritePropertyName(PropName_prepared);
        Default.ImmutableSortedSetInt32SerializeHandler(writer, state.Prepared);
        Write(writer, PropName_preparing, state.Preparing);
        Write(writer, PropName_announced, state.Announced);
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
