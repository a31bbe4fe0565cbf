using System.Text.Json.Serialization;

namespace Supervisor.Core.Continuity;

/// <summary>Source-generated JSON of the manifest. Enumerations by name, so that their numbers are nobody's business but the compiler's.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    IgnoreReadOnlyProperties = true,
    Converters = [typeof(ListenAddressConverter), typeof(IPAddressConverter), typeof(OptionValueConverter)])]
[JsonSerializable(typeof(DaemonManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
