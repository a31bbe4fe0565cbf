using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>Calls on paths and descriptors.</summary>
public static unsafe class Files
{
    /// <summary>The fields of struct stat that the daemon uses.</summary>
    /// <param name="Device">st_dev.</param>
    /// <param name="Inode">st_ino.</param>
    /// <param name="Mode">st_mode: type and permission bits.</param>
    /// <param name="Uid">Owner.</param>
    /// <param name="Gid">Group.</param>
    public readonly record struct Status(ulong Device, ulong Inode, uint Mode, uint Uid, uint Gid)
    {
        /// <summary>st_nlink: how many names the file has.</summary>
        public ulong Links { get; init; }

        /// <summary>st_size in bytes.</summary>
        public long Size { get; init; }

        /// <summary>S_ISLNK.</summary>
        public bool IsLink => (Mode & 0xF000) == 0xA000;

        /// <summary>S_ISCHR.</summary>
        public bool IsCharacterDevice => (Mode & 0xF000) == 0x2000;

        /// <summary>S_ISSOCK.</summary>
        public bool IsSocket => (Mode & 0xF000) == 0xC000;

        /// <summary>S_ISFIFO.</summary>
        public bool IsPipe => (Mode & 0xF000) == 0x1000;

        /// <summary>S_ISREG.</summary>
        public bool IsRegular => (Mode & 0xF000) == 0x8000;

        /// <summary>S_ISDIR.</summary>
        public bool IsDirectory => (Mode & 0xF000) == 0x4000;

        /// <summary>Permission bits.</summary>
        public int Permissions => (int)(Mode & 0xFFF);

        internal static Status Of(in stat buffer) =>
            new((ulong)buffer.st_dev, (ulong)buffer.st_ino, (uint)buffer.st_mode, (uint)buffer.st_uid, (uint)buffer.st_gid)
            {
                Links = (ulong)buffer.st_nlink,
                Size = (long)buffer.st_size,
            };
    }

    /// <summary>fstat(2).</summary>
    public static SystemCallError? GetStatus(DescriptorHandle descriptor, out Status status)
    {
        stat buffer = default;
        var done = fstat(descriptor.Number, &buffer);
        status = Status.Of(buffer);
        return done == 0 ? null : SystemCallError.Last("fstat");
    }

    /// <summary>lstat(2).</summary>
    public static SystemCallError? GetStatus(string path, out Status status)
    {
        stat buffer = default;
        int done;
        fixed (byte* bytes = Bytes(path))
        {
            done = lstat(bytes, &buffer);
        }

        status = Status.Of(buffer);
        return done == 0 ? null : SystemCallError.Last("lstat");
    }

    /// <summary>fchmod(2).</summary>
    public static SystemCallError? SetMode(DescriptorHandle descriptor, int mode) =>
        fchmod(descriptor.Number, (mode_t)(uint)mode) == 0 ? null : SystemCallError.Last("fchmod");

    /// <summary>chmod(2) that does not follow <paramref name="path"/>: a symbolic link is an error (EOPNOTSUPP).</summary>
    public static SystemCallError? SetMode(string path, int mode)
    {
        using var file = Pin(path, out var error);
        return file is null ? error with { Call = "chmod" } : SetPinnedMode(file, mode);
    }

    private static SystemCallError? Chmod(string path, int mode)
    {
        fixed (byte* bytes = Bytes(path))
        {
            return chmod(bytes, (mode_t)(uint)mode) == 0 ? null : SystemCallError.Last("chmod");
        }
    }

    /// <summary>
    /// open(2) with O_PATH and O_NOFOLLOW: refers to one file even when its path changes, and keeps its inode number from being
    /// reused. Also works for a socket file, which cannot be opened in another way.
    /// </summary>
    public static DescriptorHandle? Pin(string path, out SystemCallError error) => Open(path, O_PATH | O_NOFOLLOW, 0, out error);

    /// <summary>A path that leads only to the pinned file (proc_pid_fd(5)), for calls that take a path.</summary>
    public static string PinnedPath(DescriptorHandle pinned) =>
        string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{pinned.Number}");

    /// <summary>chmod(2) of a pinned file.</summary>
    public static SystemCallError? SetPinnedMode(DescriptorHandle pinned, int mode) => Chmod(PinnedPath(pinned), mode);

    /// <summary>fchownat(2) of a pinned file; <see cref="uint.MaxValue"/> leaves that id unchanged.</summary>
    public static SystemCallError? SetPinnedOwner(DescriptorHandle pinned, uint uid, uint gid)
    {
        byte none = 0;
        return fchownat(pinned.Number, &none, uid, gid, AT_EMPTY_PATH) == 0 ? null : SystemCallError.Last("fchownat");
    }

    /// <summary>unlink(2).</summary>
    public static SystemCallError? Unlink(string path)
    {
        fixed (byte* bytes = Bytes(path))
        {
            return unlink(bytes) == 0 ? null : SystemCallError.Last("unlink");
        }
    }

    /// <summary>renameat2(2) with RENAME_NOREPLACE (Linux 3.15): fails with EEXIST if the target exists.</summary>
    public static SystemCallError? RenameNoReplace(string from, string to) => Rename(from, to, 1);

    /// <summary>rename(2): replaces <paramref name="to"/> atomically.</summary>
    public static SystemCallError? Rename(string from, string to) => Rename(from, to, 0);

    /// <summary>
    /// renameat2(2) with RENAME_EXCHANGE (Linux 3.15): swaps two existing files atomically; EINVAL if the file system cannot.
    /// </summary>
    public static SystemCallError? Exchange(string one, string other) => Rename(one, other, 2);

    /// <summary>open(2) with O_CLOEXEC.</summary>
    public static DescriptorHandle? Open(string path, int flags, int mode, out SystemCallError error)
    {
        fixed (byte* bytes = Bytes(path))
        {
            var descriptor = open(bytes, flags | O_CLOEXEC, (mode_t)(uint)mode);
            error = descriptor < 0 ? SystemCallError.Last("open") : default;
            return descriptor < 0 ? null : new DescriptorHandle(descriptor);
        }
    }

    /// <summary>
    /// open(2) for reading with O_NOFOLLOW and O_NONBLOCK: it follows no symbolic link and does not wait for the writer of a
    /// FIFO.
    /// </summary>
    public static DescriptorHandle? OpenToRead(string path, out SystemCallError error) =>
        Open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, out error);

    /// <summary>
    /// open(2) for reading, which follows symbolic links. It waits for the writer of a FIFO only if <paramref name="waits"/>.
    /// </summary>
    public static DescriptorHandle? OpenToReadTarget(string path, bool waits, out SystemCallError error) =>
        Open(path, O_RDONLY | O_NOCTTY | (waits ? 0 : O_NONBLOCK), 0, out error);

    /// <summary>open(2) with O_EXCL for writing: a new file, or EEXIST if the name is in use, also by a link.</summary>
    public static DescriptorHandle? Create(string path, int mode, out SystemCallError error) =>
        Open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY, mode, out error);

    /// <summary>The same for reading and writing.</summary>
    public static DescriptorHandle? CreateToRead(string path, int mode, out SystemCallError error) =>
        Open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY, mode, out error);

    /// <summary>pipe2(2) with O_CLOEXEC; the read end is non-blocking.</summary>
    public static SystemCallError? Pipe(out DescriptorHandle? readEnd, out DescriptorHandle? writeEnd)
    {
        var ends = stackalloc int[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
        {
            readEnd = writeEnd = null;
            return SystemCallError.Last("pipe2");
        }

        readEnd = new DescriptorHandle(ends[0]);
        writeEnd = new DescriptorHandle(ends[1]);
        return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 ? null : SystemCallError.Last("fcntl");
    }

    /// <summary>The read end of a pipe whose write end is closed: reading returns the end of the file.</summary>
    public static DescriptorHandle EndedPipe()
    {
        if (Pipe(out var readEnd, out var writeEnd) is { } error)
        {
            throw new SystemCallException(error, "standing in for a lost pipe");
        }

        writeEnd!.Dispose();
        return readEnd!;
    }

    /// <summary>
    /// read(2): the number of bytes; 0 at the end; -1 if there is nothing to read yet, or if <paramref name="error"/> is set.
    /// </summary>
    public static int Read(DescriptorHandle descriptor, Span<byte> data, out SystemCallError? error)
    {
        fixed (byte* bytes = data)
        {
            var length = (long)read(descriptor.Number, bytes, data.Length);
            error = length >= 0 || errno == EAGAIN || errno == EINTR ? null : SystemCallError.Last("read");
            return (int)length;
        }
    }

    /// <summary>write(2): the number of bytes written, possibly fewer than given; -1 if <paramref name="error"/> is set.</summary>
    public static int Write(DescriptorHandle descriptor, ReadOnlySpan<byte> data, out SystemCallError? error)
    {
        fixed (byte* bytes = data)
        {
            long length;
            do
            {
                length = (long)write(descriptor.Number, bytes, data.Length);
            }
            while (length < 0 && errno == EINTR);

            error = length >= 0 ? null : SystemCallError.Last("write");
            return (int)length;
        }
    }

    /// <summary>stat(2).</summary>
    public static SystemCallError? GetTargetStatus(string path, out Status status)
    {
        stat buffer = default;
        int done;
        fixed (byte* bytes = Bytes(path))
        {
            done = LibC.stat(bytes, &buffer);
        }

        status = Status.Of(buffer);
        return done == 0 ? null : SystemCallError.Last("stat");
    }

    /// <summary>Writes all of <paramref name="data"/> at an offset: pwrite(2).</summary>
    public static SystemCallError? WriteAt(DescriptorHandle descriptor, ReadOnlySpan<byte> data, long offset)
    {
        while (data.Length > 0)
        {
            long length;
            fixed (byte* bytes = data)
            {
                length = (long)pwrite(descriptor.Number, bytes, data.Length, offset);
            }

            if (length < 0 && errno != EINTR)
            {
                return SystemCallError.Last("pwrite");
            }

            data = data[(int)Math.Max(0, length)..];
            offset += Math.Max(0, length);
        }

        return null;
    }

    /// <summary>The whole content of a file, regardless of its offset: pread(2). Null if <paramref name="error"/> is set.</summary>
    public static byte[]? ReadAll(DescriptorHandle descriptor, out SystemCallError? error)
    {
        // The size is only a hint: files of /proc have none, and others can grow.
        const int least = 64 * 1024;
        var size = GetStatus(descriptor, out var status) is null ? Math.Min(status.Size, Array.MaxLength) : 0;
        var content = GC.AllocateUninitializedArray<byte>((int)Math.Max(size, least));
        Span<byte> more = stackalloc byte[1];
        for (var count = 0; ;)
        {
            var room = count < content.Length ? content.AsSpan(count) : more;
            long length;
            fixed (byte* bytes = room)
            {
                length = (long)pread(descriptor.Number, bytes, room.Length, count);
            }

            error = length < 0 ? SystemCallError.Last("pread") : null;
            if (length <= 0)
            {
                return error is not null ? null : count == content.Length ? content : content[..count];
            }

            if (count == content.Length)
            {
                Array.Resize(ref content, count * 2);
                content[count] = more[0];
            }

            count += (int)length;
        }
    }

    /// <summary>Replaces the contents of a small file, regardless of its offset: ftruncate(2), then pwrite(2).</summary>
    public static SystemCallError? Replace(DescriptorHandle descriptor, ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
        {
            return ftruncate(descriptor.Number, 0) != 0 ? SystemCallError.Last("ftruncate")
                : (long)pwrite(descriptor.Number, bytes, data.Length, 0) < 0 ? SystemCallError.Last("pwrite")
                : null;
        }
    }

    /// <summary>
    /// Calls <paramref name="content"/> to write an open file, which the caller keeps. Null, or the error message, for example
    /// of a full disk.
    /// </summary>
    public static string? WriteTo(DescriptorHandle file, Action<Stream> content)
    {
        try
        {
            using var stream = new FileStream(new SafeFileHandle(file.Number, ownsHandle: false), FileAccess.Write);
            content(stream);
            return null;
        }
        catch (IOException refusal)
        {
            return refusal.Message;
        }
    }

    /// <summary>Whether a file has an extended attribute with the value "1": getxattr(2). False if it cannot be read.</summary>
    public static bool HasAttribute(string path, string name)
    {
        byte value;
        fixed (byte* at = Bytes(path), which = Bytes(name))
        {
            return Syscalls.getxattr(at, which, &value, 1) == 1 && value == '1';
        }
    }

    /// <summary>umask(2): sets the process's umask and returns the previous one.</summary>
    public static int SetUmask(int mask) => (int)Syscalls.umask((uint)mask);

    private static SystemCallError? Rename(string from, string to, uint flags)
    {
        fixed (byte* source = Bytes(from))
        fixed (byte* target = Bytes(to))
        {
            return Syscalls.renameat2(AT_FDCWD, source, AT_FDCWD, target, flags) == 0 ? null : SystemCallError.Last("renameat2");
        }
    }

    internal static byte[] Bytes(string path) => ByteText.Encode(path + "\0");
}
