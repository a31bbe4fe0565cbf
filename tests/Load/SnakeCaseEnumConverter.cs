using System.Text.Json;
using System.Text.Json.Serialization;

namespace Supervisor.Load;

/// <summary>Writes enum values in snake_case, for example <c>timed_out</c>.</summary>
public sealed class SnakeCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower)
    where T : struct, Enum;
