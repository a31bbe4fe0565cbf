using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.State;

/// <summary>
/// Reads the fields of a listener between its specification and its history. In most of thousands of listeners only the address and the
/// numbers of files differ from those of the listener before: the rest is compared as text, and shared.
/// </summary>
internal sealed class ListenerFields
{
    /// <summary>So many kinds of listeners are told apart.</summary>
    private const int MostKinds = 8;

    private readonly ArrayBufferWriter<byte> _whole = new();
    private readonly List<Kind> _kinds = [];

    /// <summary>A listener, and the texts between the values that may differ in others of its kind.</summary>
    private sealed record Kind(ListenerEntry Like, byte[] ToInode, byte[] ToPathDevice, byte[] ToPathInode, byte[] Rest);

    private static ReadOnlySpan<byte> ToAddress => ",\"effective\":\""u8;

    /// <summary>Reads the fields of a listener; null if others are there.</summary>
    /// <param name="fields">The text, with the comma before the first one.</param>
    /// <param name="spec">The listener's specification.</param>
    /// <param name="specText">The text of the specification.</param>
    /// <param name="history">The listener's history.</param>
    public ListenerEntry? Read(ReadOnlySpan<byte> fields, ListenerSpec spec, ReadOnlySpan<byte> specText, HistorySnapshot history)
    {
        var rest = fields;
        if (Skip(ref rest, ToAddress) && Address(ref rest, spec, specText) is { } effective)
        {
            foreach (var kind in _kinds)
            {
                if (Read(rest, kind, spec, effective, history) is { } like)
                {
                    return like;
                }
            }
        }

        _whole.ResetWrittenCount();
        _whole.Write("{\"spec\":null"u8);
        _whole.Write(fields);
        _whole.Write(",\"history\":null}"u8);
        var type = ManifestJson.Default.ListenerEntry;
        if (!EntryShape.Of(type).Fits(_whole.WrittenSpan))
        {
            return null;
        }

        var entry = JsonSerializer.Deserialize(_whole.WrittenSpan, type)! with { Spec = spec, History = history };
        Remember(rest, entry);
        return entry;
    }

    /// <summary>
    /// Divides the text after an address at the values that may differ in another listener. Quotes in a text are escaped, so no value
    /// has the name of a field with its quotes.
    /// </summary>
    private void Remember(ReadOnlySpan<byte> rest, ListenerEntry entry)
    {
        if (_kinds.Count < MostKinds && entry.Effective is not null && entry.Failure is null
            && Text(ref rest, ",\"inode\":"u8) is { } toInode && TryNumber(ref rest, out _)
            && Text(ref rest, ",\"path_device\":"u8) is { } toPathDevice && TryNumber(ref rest, out _)
            && Text(ref rest, ",\"path_inode\":"u8) is { } toPathInode && TryNumber(ref rest, out _))
        {
            _kinds.Add(new Kind(entry, toInode, toPathDevice, toPathInode, rest.ToArray()));
        }
    }

    /// <summary>The text up to and with <paramref name="end"/>; null without that.</summary>
    private static byte[]? Text(ref ReadOnlySpan<byte> rest, ReadOnlySpan<byte> end)
    {
        var at = rest.IndexOf(end);
        if (at < 0)
        {
            return null;
        }

        var text = rest[..(at + end.Length)].ToArray();
        rest = rest[text.Length..];
        return text;
    }

    private static ListenerEntry? Read(
        ReadOnlySpan<byte> rest, Kind kind, ListenerSpec spec, ListenAddress effective, HistorySnapshot history) =>
        Skip(ref rest, kind.ToInode) && TryNumber(ref rest, out var inode) && inode is not null
        && Skip(ref rest, kind.ToPathDevice) && TryNumber(ref rest, out var device)
        && Skip(ref rest, kind.ToPathInode) && TryNumber(ref rest, out var file)
        && rest.SequenceEqual(kind.Rest)
            ? kind.Like with
            {
                Spec = spec,
                Effective = effective,
                Inode = inode.Value,
                PathDevice = device,
                PathInode = file,
                History = history,
            }
            : null;

    private static bool Skip(ref ReadOnlySpan<byte> rest, ReadOnlySpan<byte> text)
    {
        if (!rest.StartsWith(text))
        {
            return false;
        }

        rest = rest[text.Length..];
        return true;
    }

    /// <summary>The address up to the quote: the object of the specification if that has the same text.</summary>
    private static ListenAddress? Address(ref ReadOnlySpan<byte> rest, ListenerSpec spec, ReadOnlySpan<byte> specText)
    {
        var end = rest.IndexOf((byte)'"');
        if (end < 0 || rest[..end].Contains((byte)'\\'))
        {
            return null;
        }

        var text = rest[..(end + 1)];
        rest = rest[end..];
        var field = "\"address\":\""u8;
        var at = specText.IndexOf(field);
        return at >= 0 && specText[(at + field.Length)..].StartsWith(text) ? spec.Address
            : ListenAddress.TryParse(Encoding.UTF8.GetString(text[..^1]), out var address, out _) ? address
            : null;
    }

    /// <summary>A number that is not negative, or null.</summary>
    private static bool TryNumber(ref ReadOnlySpan<byte> rest, out ulong? number)
    {
        number = null;
        if (Skip(ref rest, "null"u8))
        {
            return true;
        }

        if (!Utf8Parser.TryParse(rest, out ulong value, out var length))
        {
            return false;
        }

        number = value;
        rest = rest[length..];
        return true;
    }
}
