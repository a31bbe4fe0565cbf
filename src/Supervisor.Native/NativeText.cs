using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>Strings in unmanaged memory, for execve(2).</summary>
internal static unsafe class NativeText
{
    /// <summary>A block of zeros, which the caller frees.</summary>
    internal static void* Allocate(nuint size, List<nint> memory)
    {
        var block = NativeMemory.AllocZeroed(size);
        memory.Add((nint)block);
        return block;
    }

    /// <summary>A NUL-terminated string in a block of its own, which the caller frees.</summary>
    internal static byte* Of(string text, List<nint> memory)
    {
        var block = (byte*)Allocate((nuint)ByteText.GetByteCount(text) + 1, memory);
        Write(text, block);
        return block;
    }

    /// <summary>A NULL-terminated array of strings, all in one block, which the caller frees.</summary>
    internal static byte** Block(IReadOnlyList<string> strings, List<nint> memory)
    {
        var block = (byte**)Allocate((nuint)BlockLength(strings), memory);
        var next = (byte*)(block + strings.Count + 1);
        for (var i = 0; i < strings.Count; i++)
        {
            block[i] = next;
            next = Write(strings[i], next);
        }

        return block;
    }

    /// <summary>Writes a NUL-terminated string, and returns the place behind it.</summary>
    internal static byte* Write(string text, byte* to)
    {
        var length = ByteText.GetByteCount(text);
        ByteText.GetBytes(text, new Span<byte>(to, length));
        to[length] = 0;
        return to + length + 1;
    }

    private static int BlockLength(IReadOnlyList<string> strings)
    {
        var size = sizeof(byte*) * (strings.Count + 1);
        for (var i = 0; i < strings.Count; i++)
        {
            size += ByteText.GetByteCount(strings[i]) + 1;
        }

        return size;
    }
}
