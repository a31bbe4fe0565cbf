using System.Buffers;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>
/// A sealed memory file in memory, read-only and without a copy: mmap(2). <see cref="MemoryManager{T}.Memory"/> must not be used after
/// <see cref="Dispose"/>.
/// </summary>
public sealed unsafe class MappedFile : MemoryManager<byte>
{
    private void* _start;
    private readonly int _length;

    private MappedFile(void* start, int length)
    {
        _start = start;
        _length = length;
    }

    /// <summary>
    /// Maps a file of at most 2 GiB whose contents do not change. The caller keeps the descriptor. Null with the error of fstat(2) or
    /// mmap(2); an empty file cannot be mapped (EINVAL).
    /// </summary>
    public static MappedFile? Of(DescriptorHandle file, out SystemCallError? error)
    {
        error = Files.GetStatus(file, out var status);
        if (error is null && status.Size > int.MaxValue)
        {
            error = new SystemCallError("mmap", KernelAbi.EFBIG);
        }

        if (error is not null)
        {
            return null;
        }

        // Private: before Linux 6.7 a shared mapping of a sealed file is refused, also for reading (mm/shmem.c).
        var start = mmap(null, (size_t)(int)status.Size, PROT_READ, MAP_PRIVATE, file.Number, 0);
        error = start == MAP_FAILED ? SystemCallError.Last("mmap") : null;
        return error is null ? new MappedFile(start, (int)status.Size) : null;
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(_start, _length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)_start + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <summary>Unmaps it: nothing of it may be used any more.</summary>
    public void Dispose() => Dispose(true);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_start != null)
        {
            _ = munmap(_start, (size_t)_length);
            _start = null;
        }
    }
}
