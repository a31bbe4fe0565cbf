using System.Text.Json.Serialization;

namespace Supervisor.Linux.Output;

/// <summary>Lines that a successor is given.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(OutputLine))]
internal sealed partial class OutputLineJson : JsonSerializerContext;
