using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Supervisor.Core.State;

/// <summary>
/// The journal of the state: what has changed since a checkpoint, which is a whole manifest. The first line names the checkpoint
/// by its length and its checksum, so a journal never applies to another checkpoint. Each further line is all that one turn of
/// the loop has changed: the checksum of the rest of the line in eight hexadecimal digits, a space, and a JSON object.
/// </summary>
/// <remarks>
/// A line counts only with a matching checksum, and no line counts after one that does not: a daemon that dies in a write leaves
/// the state of the turn before. A field of an entry replaces the one that was there. In place of a list, a line may have an
/// object: the elements that were set, and the identities of those that are gone. The configuration is written as a whole, or as its
/// own fields with such an object for its listeners and services. Applying a line twice changes nothing.
/// </remarks>
public static class JournalFormat
{
    /// <summary>The length of the first line in bytes.</summary>
    public const int HeaderLength = 48;

    internal const string ClockField = "clock";
    internal const string ConfigField = "config";
    internal const string ConfigChangeField = "config_change";
    internal const string OrderField = "listener_order";
    internal const string ListenersField = "listeners";
    internal const string ServicesField = "services";
    internal const string RemovedListenersField = "removed_listeners";
    internal const string RemovedServicesField = "removed_services";
    internal const string NameField = "name";
    internal const string EntryField = "entry";
    internal const string CreatedField = "created";
    internal const string CountField = "count";
    internal const string AddedField = "added";
    internal const string SetField = "set";
    internal const string GoneField = "gone";

    private const int ChecksumLength = 8;

    /// <summary>The first line, for a checkpoint of that length and checksum.</summary>
    public static byte[] Header(long length, uint checksum)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"listend-journal 1 {checksum:x8} {length}");
        return Encoding.ASCII.GetBytes(text.PadRight(HeaderLength - 1) + "\n");
    }

    /// <summary>Whether a journal belongs to a checkpoint.</summary>
    public static bool IsOf(ReadOnlySpan<byte> journal, ReadOnlySpan<byte> checkpoint) =>
        journal.Length >= HeaderLength && journal.StartsWith(Header(checkpoint.Length, Checksum.Of(checkpoint)));

    /// <summary>
    /// Writes a line into <paramref name="buffer"/>, which it clears first. <paramref name="unknown"/> are fields of a
    /// predecessor's document that this version does not know.
    /// </summary>
    public static void Write(ArrayBufferWriter<byte> buffer, StateChanges changes, UnknownFields? unknown = null)
    {
        buffer.ResetWrittenCount();
        buffer.Write("00000000 "u8);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber(ClockField, changes.Clock);
            if (changes.Config is { } config)
            {
                WriteConfig(writer, config, changes.WrittenConfig, unknown?.Part(ConfigField));
            }

            WriteNames(writer, OrderField, changes.ListenerOrder);
            WriteNames(writer, RemovedListenersField, changes.RemovedListeners);
            WriteNames(writer, RemovedServicesField, changes.RemovedServices);
            WriteListeners(writer, changes.Listeners, unknown?.Part(ListenersField));
            WriteServices(writer, changes.Services, unknown?.Part(ServicesField));
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        var line = System.Runtime.InteropServices.MemoryMarshal.AsMemory(buffer.WrittenMemory).Span;
        Checksum.Of(line[ChecksumLength..]).TryFormat(line, out _, "x8", CultureInfo.InvariantCulture);
    }

    /// <summary>The next line's JSON, and the rest of the journal; false at the end, or at the first line that does not count.</summary>
    internal static bool TryNext(ref ReadOnlyMemory<byte> journal, out ReadOnlyMemory<byte> line)
    {
        line = default;
        var end = journal.Span.IndexOf((byte)'\n');
        if (end <= ChecksumLength
            || !uint.TryParse(journal.Span[..ChecksumLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var sum)
            || sum != Checksum.Of(journal.Span[ChecksumLength..(end + 1)]))
        {
            return false;
        }

        line = journal[(ChecksumLength + 1)..end];
        journal = journal[(end + 1)..];
        return true;
    }

    private static void WriteConfig(Utf8JsonWriter writer, ConfigEntry config, ConfigEntry? written, UnknownFields? unknown)
    {
        if (written is not null && unknown is null)
        {
            writer.WritePropertyName(ConfigChangeField);
            ManifestJson.Write(writer, config, written);
        }
        else
        {
            writer.WritePropertyName(ConfigField);
            ManifestWriter.WritePart(writer, config, unknown, ManifestJson.Write);
        }
    }

    private static void WriteNames(Utf8JsonWriter writer, string field, IReadOnlyList<string>? names)
    {
        if (names is null)
        {
            return;
        }

        writer.WriteStartArray(field);
        foreach (var name in names)
        {
            writer.WriteStringValue(name);
        }

        writer.WriteEndArray();
    }

    private static void WriteListeners(Utf8JsonWriter writer, IReadOnlyList<ListenerChange> listeners, UnknownFields? unknown)
    {
        writer.WriteStartArray(ListenersField);
        foreach (var listener in listeners)
        {
            writer.WriteStartObject();
            writer.WriteString(NameField, listener.Name);
            if (listener.Entry is { } entry)
            {
                writer.WritePropertyName(EntryField);
                ManifestWriter.WriteElement(writer, entry, unknown, ManifestJson.Write);
            }

            writer.WriteNumber(CreatedField, listener.Created);
            writer.WriteNumber(CountField, listener.Count);
            writer.WriteStartArray(AddedField);
            foreach (var added in listener.Added)
            {
                ManifestJson.Write(writer, added);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteServices(Utf8JsonWriter writer, IReadOnlyList<ServiceChange> services, UnknownFields? unknown)
    {
        writer.WriteStartArray(ServicesField);
        foreach (var (service, written) in services)
        {
            writer.WriteStartObject();
            writer.WriteString(NameField, service.Name);
            writer.WritePropertyName(EntryField);
            ManifestWriter.WriteElement(
                writer, service, unknown, (into, entry) => ManifestJson.Write(into, entry, unknown is null ? written : null));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
