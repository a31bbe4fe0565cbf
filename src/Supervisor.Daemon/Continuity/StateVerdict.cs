using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Supervisor.Core;

namespace Supervisor.Daemon.Continuity;

/// <summary>The answer of an executable that has checked the state of a running daemon and accepts it.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Format">The newest format that the executable knows.</param>
/// <param name="Digest">The digest of the state that it has read: only a program that has read the state can answer.</param>
internal sealed record StateVerdict(string Version, int Format, string Digest)
{
    /// <summary>
    /// The environment variable by which the running daemon says that it accepts the cheap digest. SHA-256 of a state with thousands of
    /// listeners takes a tenth of the check. Versions before this variable neither set nor read it.
    /// </summary>
    public const string DigestVariable = "LISTEND_STATE_DIGEST";

    /// <summary>The value of <see cref="DigestVariable"/>, and the beginning of such a digest.</summary>
    public const string CheapDigest = "crc32c";

    /// <summary>The digest that the caller of this process accepts: of the kind <paramref name="accepted"/>, else SHA-256.</summary>
    public static string DigestOf(ReadOnlySpan<byte> state, string? accepted) => accepted == CheapDigest
        ? Cheap(Checksum.Of(state))
        : Convert.ToHexStringLower(Sha256.Of(state));

    /// <summary>Whether the digest, of either kind, is that of a state. Only an older version makes it necessary to read that.</summary>
    public bool IsOf(uint checksum, Func<byte[]?> read) => Digest.StartsWith(CheapDigest, StringComparison.Ordinal)
        ? Digest == Cheap(checksum)
        : read() is { } state && Digest == DigestOf(state, null);

    private static string Cheap(uint checksum) => string.Create(CultureInfo.InvariantCulture, $"{CheapDigest}:{checksum:x8}");

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
