using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text.Json;

namespace Supervisor.Core.Protocols;

/// <summary>
/// One request to the broker: a packet that holds one JSON object. Fields that are not known are ignored; one that is
/// known and of another type makes the request invalid.
/// </summary>
/// <param name="Method">What is asked for.</param>
/// <param name="Listeners">With take: names, none of them twice.</param>
/// <param name="Name">With put and drop: the name.</param>
/// <param name="Token">With take and list: the LISTEND_TOKEN that the asker was given; null where it says none.</param>
public sealed record BrokerRequest(BrokerMethod Method, ImmutableArray<string> Listeners, string? Name, string? Token = null)
{
    /// <summary>Bytes that a packet may have, a request's as well as a reply's.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Descriptors that one packet can carry: SCM_MAX_FD, unix(7).</summary>
    public const int MaxDescriptors = 253;

    private const int MaxNameLength = 64;

    /// <summary>Whether it may be the name of a handle: 1 to 64 of A-Z a-z 0-9 _ . -, as in the configuration.</summary>
    public static bool IsName(string name) =>
        name.Length is >= 1 and <= MaxNameLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    /// <summary>
    /// Parses a packet. On failure <paramref name="error"/> says what is wrong with it. <paramref name="known"/> gives the
    /// name of a listener that there is, so that a request for thousands of them makes no strings of its own.
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
            // InvalidOperationException: a string that is no UTF-8, or half a surrogate pair.
            wrong = "it is no JSON object in UTF-8";
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
            return "it is no JSON object";
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
                    return $"its \"{(isMethod ? "method" : isName ? "name" : "token")}\" is not a string";
                }

                (isMethod ? ref method : ref isName ? ref name : ref token) = reader.GetString();
            }
            else if (isListeners)
            {
                if (Strings(ref reader, known) is not { } strings)
                {
                    return "its \"listeners\" is no list of strings";
                }

                listeners = strings;
            }
            else
            {
                reader.Skip();
            }
        }

        // One object and no more: whatever follows it throws.
        reader.Read();
        switch (method)
        {
            case "take":
                if (listeners is not { Length: > 0 } taken)
                {
                    return "take needs \"listeners\", a list of one name or more";
                }

                if (HasTwice(taken))
                {
                    return "it names a listener twice";
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
                return "its \"method\" is none of take, put, drop, list";
        }
    }

    /// <summary>Whether a name stands there twice. Where there are many, by a table of places that is used again.</summary>
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

        // Open addressing, half empty; 0 is nobody's place, so that a place is counted from 1.
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

        // At once of its size: on its way to thousands it would leave arrays behind that only a full collection takes away.
        var strings = ImmutableArray.CreateBuilder<string>(Count(reader));
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
            {
                return null;
            }

            strings.Add((known is not null && reader.ValueSpan.Length <= MaxNameLength ? known(name[..reader.CopyString(name)]) : null) ?? reader.GetString()!);
        }

        return strings.DrainToImmutable();
    }

    /// <summary>How many strings the list begins with that the reader is at, which is a copy.</summary>
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
