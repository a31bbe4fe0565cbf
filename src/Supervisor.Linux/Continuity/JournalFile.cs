using Supervisor.Core.State;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>The file of the state's journal (<see cref="JournalFormat"/>). Owns its descriptor.</summary>
internal sealed class JournalFile(DescriptorHandle file) : IDisposable
{
    /// <summary>The descriptor, for reading too.</summary>
    public DescriptorHandle Descriptor => file;

    /// <summary>Its length in bytes.</summary>
    public long Length { get; private set; } = JournalFormat.HeaderLength;

    /// <summary>Writes the first line: the journal belongs to that checkpoint from now on.</summary>
    public SystemCallError? Name(long length, uint checksum) => Files.WriteAt(file, JournalFormat.Header(length, checksum), 0);

    /// <summary>Appends a line. If that fails, the next line overwrites what was written of it.</summary>
    public SystemCallError? Append(ReadOnlySpan<byte> line)
    {
        if (Files.WriteAt(file, line, Length) is { } error)
        {
            return error;
        }

        Length += line.Length;
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
