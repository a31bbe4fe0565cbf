using System.Text;
using CsCheck;

namespace Supervisor.Load.Tests;

public class ResponseReaderTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", 200, true)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", 200, false)]
    [InlineData(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
        200,
        false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nTrailer: yes\r\n\r\n", 200, false)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx", 404, false)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, true)]
    [InlineData("HTTP/1.0 200 OK\nContent-Length: 2\n\nok", 200, true)]
    public void A_response_ends_exactly_with_its_last_byte(string text, int status, bool closes) =>
        Gen.Int[1, 7].Array[1, 40].Sample(pieces =>
        {
            var bytes = Encoding.ASCII.GetBytes(text);
            var reader = new ResponseReader();
            var at = 0;
            for (var i = 0; at < bytes.Length; i++)
            {
                Assert.False(reader.IsComplete);
                var length = Math.Min(pieces[i % pieces.Length], bytes.Length - at);
                reader.Read(bytes.AsSpan(at, length));
                at += length;
            }

            Assert.True(reader.IsComplete);
            Assert.Equal((status, closes), (reader.Status, reader.Closes));
        }, iter: 50);

    [Fact]
    public void A_response_without_a_length_ends_with_the_connection()
    {
        var reader = new ResponseReader();
        reader.Read("HTTP/1.1 200 OK\r\n\r\nhello"u8);
        Assert.False(reader.IsComplete);
        reader.End();
        Assert.True(reader.IsComplete);
        Assert.True(reader.Closes);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/1.1 abc\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    public void Bytes_that_are_not_HTTP_are_malformed(string text)
    {
        var reader = new ResponseReader();
        reader.Read(Encoding.ASCII.GetBytes(text));
        Assert.True(reader.IsMalformed);
        Assert.False(reader.IsComplete);
    }

    [Fact]
    public void The_response_reader_survives_arbitrary_bytes() =>
        Gen.Byte.Array[0, 300].Sample(bytes =>
        {
            var reader = new ResponseReader();
            reader.Read("HTTP/1.1 200 OK\r\n"u8);
            reader.Read(bytes);
            reader.End();
        });

    [Fact]
    public void An_endless_line_is_malformed_and_not_buffered()
    {
        var reader = new ResponseReader();
        reader.Read(new byte[10_000]);
        Assert.True(reader.IsMalformed);
    }
}
