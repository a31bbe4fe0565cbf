using System.Text.Json.Serialization;
using Supervisor.Daemon.Runtime;

namespace Supervisor.Daemon.Continuity;

/// <summary>What an executable answers that was asked whether it can go on with a state.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Format">The newest format that it knows.</param>
/// <param name="Digest">SHA-256 of the state that it has read: so that nothing but a listend that has read it can answer.</param>
internal sealed record StateVerdict(string Version, int Format, string Digest);

/// <summary>Source-generated.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StateVerdict))]
internal sealed partial class StateVerdictJson : JsonSerializerContext;
