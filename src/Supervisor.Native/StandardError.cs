using System.Text;
using Tmds.Linux;

namespace Supervisor.Native;

/// <summary>Standard error without the runtime's console, which needs descriptors and memory of its own.</summary>
public static unsafe class StandardError
{
    /// <summary>Writes a line as far as the descriptor accepts it.</summary>
    public static void WriteLine(string text) => Write(Encoding.UTF8.GetBytes(text + "\n"));

    /// <summary>Writes as much as the descriptor accepts.</summary>
    public static void Write(ReadOnlySpan<byte> text)
    {
        const int number = 2;
        fixed (byte* bytes = text)
        {
            _ = LibC.write(number, bytes, text.Length);
        }
    }
}
