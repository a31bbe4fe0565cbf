using System.Text;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Native;

public class ByteTextTests
{
    [Fact]
    public void Any_bytes_come_back_as_they_were()
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(12)];
            random.NextBytes(bytes);
            if (i % 2 == 0)
            {
                // The characters of the escapes, and neighbours.
                bytes = [.. bytes, 0xF4, 0x8F, (byte)random.Next(256), (byte)random.Next(256)];
            }

            var text = ByteText.Decode(bytes);
            Assert.Equal(bytes, ByteText.Encode(text));
            Assert.Equal(bytes.Length, ByteText.GetByteCount(text));

            // It passes through UTF-8, as in a JSON document.
            Assert.Equal(text, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("plain")]
    [InlineData("Zürich 東京 \U0001F600")]
    public void Text_stays_text(string text) => Assert.Equal(text, ByteText.Decode(Encoding.UTF8.GetBytes(text)));
}
