using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Supervisor.Linux.Output;
using Supervisor.Linux.Tests.Kernel;

namespace Supervisor.Linux.Tests.Journal;

/// <summary>The framing of the journal's native protocol: no value can add a field of its own.</summary>
public class JournalEntryTests : KernelTest
{
    private static readonly Gen<string> Values = Gen.String[Gen.Char["ab=\n\r\0\u00e9\u4e16"], 0, 20];

    [Fact]
    public void A_reader_finds_each_field_of_the_journal_entry() => Values.Array[1, 8].Sample(values =>
    {
        var entry = new JournalEntry();
        for (var i = 0; i < values.Length; i++)
        {
            entry.Add($"FIELD_{i}", values[i]);
        }

        Assert.Equal(values.Select((value, i) => ($"FIELD_{i}", value)), Read(entry.Data));
    });

    [Fact]
    public void A_value_with_a_newline_has_a_length_prefix()
    {
        var entry = new JournalEntry();
        entry.Add("MESSAGE", "one\nPRIORITY=0");
        Assert.Equal("MESSAGE\n\x0e\0\0\0\0\0\0\0one\nPRIORITY=0\n"u8, entry.Data);
    }

    [Fact]
    public void Half_of_a_surrogate_pair_does_not_break_the_frame()
    {
        var entry = new JournalEntry();
        entry.Add("MESSAGE", "a\ud800\nb");
        entry.Add("PRIORITY", "6");
        Assert.Equal([("MESSAGE", "a\ufffd\nb"), ("PRIORITY", "6")], Read(entry.Data));
    }

    private static List<(string, string)> Read(ReadOnlySpan<byte> data)
    {
        var fields = new List<(string, string)>();
        while (data.Length > 0)
        {
            var end = data.IndexOf((byte)'\n');
            var line = data[..end];
            data = data[(end + 1)..];
            var equals = line.IndexOf((byte)'=');
            if (equals >= 0)
            {
                fields.Add((Encoding.UTF8.GetString(line[..equals]), Encoding.UTF8.GetString(line[(equals + 1)..])));
                continue;
            }

            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(data);
            fields.Add((Encoding.UTF8.GetString(line), Encoding.UTF8.GetString(data.Slice(8, length))));
            Assert.Equal((byte)'\n', data[8 + length]);
            data = data[(8 + length + 1)..];
        }

        return fields;
    }
}
