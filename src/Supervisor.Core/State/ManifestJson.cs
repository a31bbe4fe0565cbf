using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Supervisor.Core.Services;

namespace Supervisor.Core.State;

/// <summary>
/// Source-generated JSON of the manifest. Enumerations by name, so that their numbers are nobody's business but the compiler's;
/// they, and what else has a form of its own, say so themselves: a converter of the whole context would cost it the generated
/// code that writes.
/// </summary>
/// <remarks>
/// What is written for each change of a worker is written by that code alone. The serializer would do it too, by what it
/// knows of every type, and would have to learn that first: 5 ms and half a megabyte at a daemon's very first moments
/// (measured with 200 workers: tests/Bench/StartBenchmark).
/// </remarks>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(DaemonManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext
{
    /// <summary>The configuration.</summary>
    public static void Write(Utf8JsonWriter writer, ConfigEntry config) => Default.ConfigEntrySerializeHandler(writer, config);

    /// <summary>A listener.</summary>
    public static void Write(Utf8JsonWriter writer, ListenerEntry listener) => Default.ListenerEntrySerializeHandler(writer, listener);

    /// <summary>A stream.</summary>
    public static void Write(Utf8JsonWriter writer, StreamEntry? stream) => Default.StreamEntrySerializeHandler(writer, stream);

    /// <summary>
    /// A service. By hand, for the sake of <see cref="ServiceState.Specs"/>: for keys that are numbers no code is generated.
    /// </summary>
    public static void Write(Utf8JsonWriter writer, ServiceEntry service)
    {
        writer.WriteStartObject();
        writer.WritePropertyName(PropName_state);
        Write(writer, service.State);
        writer.WriteString(PropName_blocked, service.Blocked);
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
