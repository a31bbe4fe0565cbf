using System.Text.Json.Serialization;

namespace Supervisor.Load;

/// <summary>The report as JSON, with names in snake_case and kinds as strings.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters = [typeof(SnakeCaseEnumConverter<Traffic>), typeof(SnakeCaseEnumConverter<FailureKind>)])]
[JsonSerializable(typeof(LoadReport))]
public sealed partial class LoadReportJson : JsonSerializerContext;
