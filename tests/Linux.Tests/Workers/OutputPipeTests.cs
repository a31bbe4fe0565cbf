using System.Text;
using CsCheck;
using Supervisor.Linux.Output;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>A worker's output as lines: the same lines, however the bytes arrive.</summary>
public class OutputPipeTests : KernelTest
{
    private static readonly Gen<string> Texts = Gen.Frequency(
        (6, Gen.OneOf(Gen.Const("\n"), Gen.Const("\r\n"), Gen.Const("\r"), Gen.Const("\n\n"))),
        (6, Gen.OneOf(Gen.Const("line"), Gen.Const("\u00e9\u4e16\U0001f642"), Gen.Const("\0"), Gen.Const(" "))),
        (1, Gen.Int[OutputPipe.MaxLineBytes - 3, OutputPipe.MaxLineBytes + 3].Select(length => new string('x', length))),
        (1, Gen.Int[OutputPipe.MaxLineBytes / 3 - 1, OutputPipe.MaxLineBytes].Select(length => new string('\u4e16', length))));

    [Fact]
    public void Lines_do_not_depend_on_the_chunks_of_the_bytes() => Gen.Select(
        Texts.Array[0, 12].Select(string.Concat),
        Gen.Int[1, 20_000].Array[1, 20]).Sample(
        (text, sizes) =>
        {
            var data = Encoding.UTF8.GetBytes(text);
            var lines = Lines(data, sizes);
            var expected = Expected(text);
            Assert.True(expected.SequenceEqual(lines), $"{Shape(text.Split('\n'))} became {Shape(lines)}, not {Shape(expected)}");
            Assert.Equal(Lines(data, [data.Length + 1]), lines);
        },
        iter: 300, threads: 1);

    [Theory]
    [InlineData("", new string[0])]
    [InlineData("\n", new[] { "" })]
    [InlineData("a", new[] { "a" })]
    [InlineData("a\n", new[] { "a" })]
    [InlineData("a\r\nb\r", new[] { "a\r", "b\r" })]
    [InlineData("a\rb\n\nc", new[] { "a\rb", "", "c" })]
    public void Newlines_separate_lines(string text, string[] lines) =>
        Assert.Equal(lines, Lines(Encoding.UTF8.GetBytes(text), [1]));

    /// <summary>A line that exactly fills a piece is one piece, without an empty line after it.</summary>
    [Theory]
    [InlineData(-1, new[] { 16383 })]
    [InlineData(0, new[] { 16384 })]
    [InlineData(1, new[] { 16384, 1 })]
    [InlineData(16384, new[] { 16384, 16384 })]
    public void A_long_line_is_split_into_pieces(int more, int[] lengths)
    {
        var lines = Lines(Encoding.UTF8.GetBytes(new string('x', OutputPipe.MaxLineBytes + more) + "\nnext\n"), [5000]);
        Assert.Equal(lengths.Append(4), lines.Select(line => line.Length));
    }

    [Fact]
    public void The_pieces_of_a_long_line_know_their_beginning()
    {
        var longest = "<3>failed" + new string('x', OutputPipe.MaxLineBytes - 9);
        var pieces = Pieces(Encoding.UTF8.GetBytes($"one\n{longest}{longest}\n<4>two"), [5000]);
        Assert.Equal(
            [new("one"), new(longest, IsCut: true), new(longest, "<3>faile", IsCut: true), new("", "<3>faile"), new("<4>two")], pieces);
    }

    [Fact]
    public void A_character_is_not_split()
    {
        var text = "x" + new string('\u4e16', 20_000);
        Assert.Equal(text, string.Concat(Lines(Encoding.UTF8.GetBytes(text), [777])));
    }

    [Fact]
    public void Output_that_is_not_valid_text_arrives_byte_for_byte()
    {
        var bytes = new byte[40_000];
        bytes.AsSpan().Fill(0x80);
        Assert.Equal(40_000, Lines(bytes, [100]).Sum(ByteText.GetByteCount));
    }

    /// <summary>A descendant holds the other end for ever, and the last line is still not lost.</summary>
    [Fact]
    public void A_last_line_arrives_even_if_the_stream_never_ends()
    {
        var lines = new List<string>();
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using (writer)
        {
            using (var pipe = new OutputPipe(reader!, piece => lines.Add(piece.Text)))
            {
                Libc.Write(writer!, "panic: no more"u8);
                Assert.True(pipe.Drain());
                Assert.Empty(lines);
            }

            Assert.Equal(["panic: no more"], lines);
        }
    }

    [Fact]
    public void A_flood_is_read_in_portions()
    {
        var taken = 0;
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using (writer)
        using (var pipe = new OutputPipe(reader!, piece => taken += piece.Text.Length + 1))
        {
            var data = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("0123456789abcde\n", 4096)));
            Libc.Write(writer!, data);
            Assert.True(pipe.Drain());
            Assert.Equal(OutputPipe.MaxBytesPerWake, taken);
            Assert.True(pipe.Drain());
        }
    }

    [Fact]
    public void A_text_is_found_across_pieces_and_without_the_end_of_its_line()
    {
        foreach (var size in Enumerable.Range(1, 9).Append(16_384).Append(60_000))
        {
            var found = 0;
            Assert.Null(Files.Pipe(out var reader, out var writer));
            using var pipe = new OutputPipe(reader!, _ => { }) { Search = new TextSearch("now ready"u8.ToArray(), () => found++) };
            using (writer)
            {
                var data = Encoding.ASCII.GetBytes("now\nready" + new string('y', 200) + "now now ready");
                foreach (var part in data.Chunk(size))
                {
                    Libc.Write(writer!, part);
                    Assert.True(pipe.Drain());
                }

                Assert.Equal(1, found);
                Libc.Write(writer!, "now ready"u8);
                Assert.True(pipe.Drain());
                Assert.Equal(1, found);
            }
        }
    }

    [Fact]
    public void A_text_is_found_once_in_several_streams()
    {
        var rest = "now ready"u8.ToArray();
        foreach (var (first, second) in new[] { (rest, null), (null, rest), (rest, rest), ((byte[]?)null, (byte[]?)null) })
        {
            var found = 0;
            Assert.Null(Files.Pipe(out var firstReader, out var firstWriter));
            Assert.Null(Files.Pipe(out var secondReader, out var secondWriter));
            using var output = new OutputPipe(firstReader!, _ => { }, first);
            using var error = new OutputPipe(secondReader!, _ => { }, second);
            using (firstWriter)
            using (secondWriter)
            {
                OutputPipe.SearchAll([output, error], "now ready"u8.ToArray(), () => found++);
                Assert.Equal(first is null && second is null ? 0 : 1, found);
                foreach (var (pipe, writer) in new[] { (error, secondWriter!), (output, firstWriter!), (error, secondWriter!) })
                {
                    Libc.Write(writer, "now ready"u8);
                    Assert.True(pipe.Drain());
                    Assert.Equal(1, found);
                }
            }
        }
    }

    /// <summary>The lines, and the pieces of long ones; not the empty piece that only ends a line.</summary>
    private static List<string> Lines(byte[] data, int[] sizes) =>
        [.. Pieces(data, sizes).Where(piece => piece is not { Text: "", Continues: true }).Select(piece => piece.Text)];

    private static List<OutputPiece> Pieces(byte[] data, int[] sizes)
    {
        var lines = new List<OutputPiece>();
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using var pipe = new OutputPipe(reader!, lines.Add);
        using (writer)
        {
            for (int at = 0, i = 0; at < data.Length; i++)
            {
                var size = Math.Min(Math.Min(sizes[i % sizes.Length], 60_000), data.Length - at);
                Libc.Write(writer!, data.AsSpan(at, size));
                at += size;
                Assert.True(pipe.Drain());
            }
        }

        Assert.False(pipe.Drain());
        return lines;
    }

    private static string Shape(IEnumerable<string> lines) =>
        "[" + string.Join(", ", lines.Select(line => line.Length < 10 ? $"\"{line}\"" : $"{line[0]}x{line.Length}{line[^1]}")) + "]";

    /// <summary>
    /// The reference result without buffers: lines without carriage return, cut before a character that does not fit.
    /// </summary>
    private static List<string> Expected(string text)
    {
        var lines = new List<string>();
        var all = text.Split('\n').ToList();
        var hasEnd = all[^1].Length == 0;
        foreach (var (line, i) in all.Select((line, i) => (line, i)))
        {
            if (i == all.Count - 1 && hasEnd)
            {
                break;
            }

            // A piece is full at the limit, whether or not a newline follows; only the part after the last full piece can be
            // empty.
            var (rest, isFirst) = (line, true);
            while (Encoding.UTF8.GetByteCount(rest) >= OutputPipe.MaxLineBytes)
            {
                var (bytes, length) = (0, 0);
                foreach (var rune in rest.EnumerateRunes())
                {
                    if (bytes + rune.Utf8SequenceLength > OutputPipe.MaxLineBytes)
                    {
                        break;
                    }

                    bytes += rune.Utf8SequenceLength;
                    length += rune.Utf16SequenceLength;
                }

                lines.Add(rest[..length]);
                (rest, isFirst) = (rest[length..], false);
            }

            if (isFirst || rest.Length > 0)
            {
                lines.Add(rest);
            }
        }

        return lines;
    }
}
