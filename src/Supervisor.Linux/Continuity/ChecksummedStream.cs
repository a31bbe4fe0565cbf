using Supervisor.Core;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// A file that is only written, from its beginning to its end, with a checksum of what was written. A refused write is an
/// <see cref="IOException"/> with the failed call. Owns the descriptor.
/// </summary>
/// <param name="file">An empty file.</param>
public class ChecksummedStream(DescriptorHandle file) : Stream
{
    private Checksum _checksum = new();
    private long _length;

    /// <summary>The checksum of all that was written.</summary>
    public uint Checksum => _checksum.Value;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => _length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Files.WriteAt(file, buffer, _length) is { } error)
        {
            throw new IOException(error.ToString());
        }

        _checksum.Add(buffer);
        _length += buffer.Length;
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
        }

        base.Dispose(disposing);
    }
}
