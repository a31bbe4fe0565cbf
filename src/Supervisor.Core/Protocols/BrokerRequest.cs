using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text.Json;

namespace Supervisor.Core.Protocols;

/// <summary>
/// One request to the broker: a packet with one JSON object. Unknown fields are ignored; a known field with a value of another
/// type makes the request invalid.
/// </summary>
/// <param name="Method">The method.</param>
/// <param name="Listeners">For take: names without duplicates.</param>
/// <param name="Name">For put and drop: the name.</param>
/// <param name="Token">For take and list: the LISTEND_TOKEN of the client's environment; null if the request has none.</param>
public sealed record BrokerRequest(BrokerMethod Method, ImmutableArray<string> Listeners, string? Name, string? Token = null)
{
    /// <summary>The most bytes of a packet, in both directions.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>The most descriptors of one packet: SCM_MAX_FD, unix(7).</summary>
    public const int MaxDescriptors = 253;

    private const int MaxNameLength = 64;

    /// <summary>Whether it is a valid name of a handle: 1 to 64 of A-Z a-z 0-9 _ . -, as in the configuration.</summary>
    public static bool IsName(string name) =>
        name.Length is >= 1 and <= MaxNameLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    /// <summary>
    /// Parses a packet. On failure <paramref name="error"/> is the reply. <paramref name="known"/> returns the name of an
    /// existing listener, so that a request for thousands of them allocates no strings.
    /// </summary>
    public static bool TryParse(
        ReadOnlySpan<byte> data,
        [NotNullWhen(true)] out BrokerRequest? request,
        [NotNullWhen(false)] out BrokerError? error,
        Func<ReadOnlySpan<char>, string?>? known = null)
    {
        request = null;
        string? wrong;
        try
        {
            wrong = Read(data, out request, known);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not UTF-8, or an unpaired surrogate.
            wrong = "not a JSON object in UTF-8";
        }

        error = wrong is null ? null : new BrokerError(BrokerErrorCode.Invalid, $"the request cannot be read: {wrong}");
        return wrong is null;
    }

    private static string? Read(ReadOnlySpan<byte> data, out BrokerRequest? request, Func<ReadOnlySpan<char>, string?>? known)
    {
        request = null;
        var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = 16 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return "not a JSON object";
        }

        string? method = null;
        string? name = null;
        string? token = null;
        ImmutableArray<string>? listeners = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isMethod = reader.ValueTextEquals("method"u8);
            var isName = reader.ValueTextEquals("name"u8);
            var isListeners = reader.ValueTextEquals("listeners"u8);
            var isToken = reader.ValueTextEquals("token"u8);
            reader.Read();
            if (isMethod || isName || isToken)
            {
                if (reader.TokenType != JsonTokenType.String)
                {
                    return $"\"{(isMethod ? "method" : isName ? "name" : "token")}\" is not a string";
                }

                (isMethod ? ref method : ref isName ? ref name : ref token) = reader.GetString();
            }
            else if (isListeners)
            {
                if (Strings(ref reader, known) is not { } strings)
                {
                    return "\"listeners\" is not a list of strings";
                }

                listeners = strings;
            }
            else
            {
                reader.Skip();
            }
        }

        // There must be only one object: Read() throws if anything follows.
        reader.Read();
        switch (method)
        {
            case "take":
                if (listeners is not { Length: > 0 } taken)
                {
                    return "take needs \"listeners\", a list of at least one name";
                }

                if (HasTwice(taken))
                {
                    return "\"listeners\" contains a name twice";
                }

                request = new BrokerRequest(BrokerMethod.Take, taken, null, token);
                return null;
            case "put" or "drop":
                if (name is null || !IsName(name))
                {
                    return $"{method} needs \"name\": 1 to {MaxNameLength} of A-Z a-z 0-9 _ . -";
                }

                request = new BrokerRequest(method == "put" ? BrokerMethod.Put : BrokerMethod.Drop, [], name);
                return null;
            case "list":
                request = new BrokerRequest(BrokerMethod.List, [], null, token);
                return null;
            case "succeed":
                request = new BrokerRequest(BrokerMethod.Succeed, [], null);
                return null;
            default:
                return "\"method\" is not one of take, put, drop, list";
        }
    }

    /// <summary>Whether a name occurs twice. Long lists use a pooled hash table.</summary>
    private static bool HasTwice(ImmutableArray<string> names)
    {
        const int few = 8;
        if (names.Length <= few)
        {
            for (var i = 1; i < names.Length; i++)
            {
                if (names.AsSpan(0, i).Contains(names[i]))
                {
                    return true;
                }
            }

            return false;
        }

        // Open addressing, at most half full. 0 is an empty place, so indexes count from 1.
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)names.Length * 2);
        var places = ArrayPool<int>.Shared.Rent(size);
        try
        {
            places.AsSpan(0, size).Clear();
            for (var i = 0; i < names.Length; i++)
            {
                var at = names[i].GetHashCode(StringComparison.Ordinal) & (size - 1);
                for (; places[at] != 0; at = (at + 1) & (size - 1))
                {
                    if (names[places[at] - 1] == names[i])
                    {
                        return true;
                    }
                }

                places[at] = i + 1;
            }

            return false;
        }
        finally
        {
            ArrayPool<int>.Shared.Return(places);
        }
    }

    private static ImmutableArray<string>? Strings(ref Utf8JsonReader reader, Func<ReadOnlySpan<char>, string?>? known)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return null;
        }

        Span<char> name = stackalloc char[MaxNameLength];

        // Allocate the final size: growing to thousands would leave arrays behind that only a full collection frees.
        var strings = ImmutableArray.CreateBuilder<string>(Count(reader));
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
            {
                return null;
            }

            var isShort = known is not null && reader.ValueSpan.Length <= MaxNameLength;
            strings.Add((isShort ? known!(name[..reader.CopyString(name)]) : null) ?? reader.GetString()!);
        }

        return strings.DrainToImmutable();
    }

    /// <summary>The number of leading strings in the list; the reader is a copy, so the original does not move.</summary>
    private static int Count(Utf8JsonReader reader)
    {
        var count = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
        {
            count++;
        }

        return count;
    }
}
