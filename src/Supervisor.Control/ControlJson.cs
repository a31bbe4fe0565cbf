using System.Text.Json.Serialization;

namespace Supervisor.Control;

/// <summary>Source-generated JSON of the control interface: snake_case names, nulls written, unknown fields ignored.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = false)]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(IReadOnlyList<ListenerDocument>))]
[JsonSerializable(typeof(List<ListenerDocument>))]
[JsonSerializable(typeof(ListenerDocument))]
[JsonSerializable(typeof(IReadOnlyList<HistoryEntryDocument>))]
[JsonSerializable(typeof(List<HistoryEntryDocument>))]
[JsonSerializable(typeof(HistoryEntryDocument))]
[JsonSerializable(typeof(ChangeDocument))]
[JsonSerializable(typeof(SignalDocument))]
[JsonSerializable(typeof(EventDocument))]
[JsonSerializable(typeof(OutputLineDocument))]
[JsonSerializable(typeof(ServiceDocument))]
[JsonSerializable(typeof(ProblemDocument))]
[JsonSerializable(typeof(FailureDocument))]
[JsonSerializable(typeof(CheckDocument))]
[JsonSerializable(typeof(ReloadDocument))]
[JsonSerializable(typeof(ImportDocument))]
[JsonSerializable(typeof(UpgradeDocument))]
[JsonSerializable(typeof(DiagnosisDocument))]
[JsonSerializable(typeof(ConnectionDocument))]
[JsonSerializable(typeof(List<ConnectionDocument>))]
public sealed partial class ControlJson : JsonSerializerContext;
