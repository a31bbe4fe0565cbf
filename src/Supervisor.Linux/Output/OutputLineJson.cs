using System.Text.Json.Serialization;

namespace Supervisor.Linux.Output;

/// <summary>JSON for the lines that a successor receives.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(OutputLine))]
internal sealed partial class OutputLineJson : JsonSerializerContext;
