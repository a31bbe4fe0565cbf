using System.Text.Json;
using System.Text.Json.Serialization;
using Supervisor.Core;

namespace Supervisor.Daemon.Continuity;

/// <summary>The answer of an executable that has checked the state of a running daemon and accepts it.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Format">The newest format that the executable knows.</param>
/// <param name="Digest">SHA-256 of the state that it has read: only a listend that has read the state can answer.</param>
internal sealed record StateVerdict(string Version, int Format, string Digest)
{
    /// <summary>The digest of a state.</summary>
    public static string DigestOf(byte[] state) => Convert.ToHexStringLower(Sha256.Of(state));

    /// <summary>Parses the output of a program; null if it is no answer. Any program may be at the daemon's path.</summary>
    public static StateVerdict? TryParse(string output)
    {
        try
        {
            return JsonSerializer.Deserialize(output, StateVerdictJson.Default.StateVerdict);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>As one line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, StateVerdictJson.Default.StateVerdict);
}

/// <summary>Source-generated.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StateVerdict))]
internal sealed partial class StateVerdictJson : JsonSerializerContext;
