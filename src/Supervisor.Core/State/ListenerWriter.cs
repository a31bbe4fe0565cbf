using System.Buffers;
using System.Text.Json;
using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.State;

/// <summary>Writes listeners. A history that was not read is copied from the text that has it.</summary>
internal sealed class ListenerWriter : IDisposable
{
    private static readonly HistorySnapshot Nothing = new(0, 0, [], []);

    private readonly ArrayBufferWriter<byte> _fields = new();
    private readonly ArrayBufferWriter<byte> _joined = new();
    private readonly Utf8JsonWriter _fieldWriter;

    public ListenerWriter() => _fieldWriter = new Utf8JsonWriter(_fields);

    private static ReadOnlySpan<byte> NothingWritten => "{\"created\":0,\"count\":0,\"beginning\":[],\"recent\":[]}}"u8;

    /// <summary>Writes a listener.</summary>
    public void Write(Utf8JsonWriter writer, ListenerEntry listener)
    {
        if (listener.History.Unread is not { } unread)
        {
            ManifestJson.Write(writer, listener);
            return;
        }

        _fields.ResetWrittenCount();
        _fieldWriter.Reset();
        ManifestJson.Write(_fieldWriter, listener with { History = Nothing });
        _fieldWriter.Flush();
        _joined.ResetWrittenCount();
        _joined.Write(_fields.WrittenSpan[..^NothingWritten.Length]);
        Join(unread, listener.History);
        _joined.Write("}"u8);
        writer.WriteRawValue(_joined.WrittenSpan, skipInputValidation: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _fieldWriter.Dispose();

    private void Join(UnreadHistory unread, HistorySnapshot history)
    {
        _joined.Write("{\"created\":"u8);
        Write(history.Created);
        _joined.Write(",\"count\":"u8);
        Write(history.Count);
        unread.WriteTo(_joined, isFirst =>
        {
            foreach (var added in history.Added)
            {
                _joined.Write(isFirst ? default : ","u8);
                isFirst = false;
                _fields.ResetWrittenCount();
                _fieldWriter.Reset();
                ManifestJson.Write(_fieldWriter, added);
                _fieldWriter.Flush();
                _joined.Write(_fields.WrittenSpan);
            }
        });
    }

    private void Write(long number)
    {
        const int mostDigits = 20;
        System.Buffers.Text.Utf8Formatter.TryFormat(number, _joined.GetSpan(mostDigits), out var length);
        _joined.Advance(length);
    }
}
