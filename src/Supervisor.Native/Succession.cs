using System.Runtime.InteropServices;
using System.Text;

namespace Supervisor.Native;

/// <summary>
/// Replaces the program of this process: execve(2) with the descriptors to keep, and the sealed memory file that carries the
/// state.
/// </summary>
public static unsafe class Succession
{
    private const uint MemoryCloseOnExec = 1; // MFD_CLOEXEC
    private const uint MemorySealable = 2; // MFD_ALLOW_SEALING
    private const uint MemoryExecutable = 16; // MFD_EXEC, Linux 6.3
    private const int AddSeals = 1033; // F_ADD_SEALS, linux/fcntl.h
    private const int GetSeals = 1034;
    private const int AllSeals = 1 | 2 | 4 | 8; // SEAL, SHRINK, GROW, WRITE
    private const int SetDescriptorFlags = 2; // F_SETFD
    private const int GetDescriptorFlags = 1; // F_GETFD
    private const int SetSize = 128; // sizeof(sigset_t), glibc and musl
    private const nint CloseRange = 436;
    private const int CloseOnExecRange = 4; // CLOSE_RANGE_CLOEXEC
    private const int UnshareRange = 2; // CLOSE_RANGE_UNSHARE

    /// <summary>
    /// The signals that end a process or that are sent to daemons: any of them would kill the process between execve() and the
    /// new program's handlers. SIGRTMIN (34) must never be blocked, because the runtime suspends its threads with it.
    /// </summary>
    private static readonly int[] Held = [1, 2, 15, 10, 12, 17];

    /// <summary>
    /// close_range(2) with CLOSE_RANGE_UNSHARE and nothing to close: the calling thread gets a descriptor table of its own, so what it
    /// does to a number is not seen by the runtime's threads. Container profiles allow it, unlike unshare(2). Linux 5.9; without effect
    /// on an older kernel.
    /// </summary>
    public static void UnshareDescriptors() => Syscalls.syscall(CloseRange, -1, -1, UnshareRange, 0);

    /// <summary>memfd_create(2): a file without a name, close-on-exec. The caller owns it. Linux 3.17.</summary>
    public static DescriptorHandle? Memory(string name, out SystemCallError error) => Memory(name, 0, out error);

    private static DescriptorHandle? Memory(string name, uint flags, out SystemCallError error)
    {
        int descriptor;
        fixed (byte* text = Encoding.UTF8.GetBytes(name + "\0"))
        {
            descriptor = Syscalls.memfd_create(text, MemoryCloseOnExec | MemorySealable | flags);
        }

        if (descriptor < 0)
        {
            error = SystemCallError.Last("memfd_create");
            return null;
        }

        error = default;
        return new DescriptorHandle(descriptor);
    }

    /// <summary>
    /// A sealed memory file with what <paramref name="content"/> writes: no process can change it. The caller owns it.
    /// </summary>
    /// <param name="name">The name for /proc.</param>
    /// <param name="content">Writes it.</param>
    /// <param name="error">Why there is none.</param>
    /// <param name="copy">From <see cref="MemoryWithCopy"/>, which this takes over and writes from the beginning; null: a new one.</param>
    public static DescriptorHandle? SealedMemory(
        string name, Action<Stream> content, out string? error, DescriptorHandle? copy = null)
    {
        SystemCallError refused = default;
        var memory = copy ?? Memory(name, out refused);
        if (memory is null)
        {
            error = refused.ToString();
            return null;
        }

        error = Files.WriteTo(
            memory,
            stream =>
            {
                // A copy was written up to its end.
                stream.Position = 0;
                content(stream);
                stream.SetLength(stream.Position);
            }) ?? Seal(memory)?.ToString();
        if (error is null)
        {
            return memory;
        }

        memory.Dispose();
        return null;
    }

    /// <summary>
    /// A memory file with a copy of a sealed one, which can be changed: what stays the same need not be written. Null if it cannot be
    /// made, or if the sealed one is closed already. Any thread.
    /// </summary>
    /// <param name="name">The name for /proc.</param>
    /// <param name="content">The sealed memory file. It stays open during the copy, also if another thread disposes the handle.</param>
    /// <param name="length">How long that is.</param>
    public static DescriptorHandle? MemoryWithCopy(string name, DescriptorHandle content, long length)
    {
        var isHeld = false;
        try
        {
            // Otherwise the number could become another file's.
            content.DangerousAddRef(ref isHeld);
            var memory = Memory(name, out _);
            for (long copied = 0; memory is not null && copied < length;)
            {
                if (Syscalls.sendfile(memory.Number, content.Number, &copied, (nint)(length - copied)) <= 0)
                {
                    memory.Dispose();
                    memory = null;
                }
            }

            return memory;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        finally
        {
            if (isHeld)
            {
                content.DangerousRelease();
            }
        }
    }

    /// <summary>Seals a memory file: no process can change it any more.</summary>
    public static SystemCallError? Seal(DescriptorHandle memory) =>
        Syscalls.fcntl_int(memory.Number, AddSeals, AllSeals) != 0 ? SystemCallError.Last("fcntl") : null;

    /// <summary>
    /// A program in a sealed memory file, for execveat(2): no process can change it, not even one that gets its descriptor. The
    /// caller owns it. EACCES if the host forbids executable memory files (vm.memfd_noexec = 2, Linux 6.3).
    /// </summary>
    public static DescriptorHandle? Executable(string name, ReadOnlySpan<byte> program, out SystemCallError error)
    {
        const int invalid = 22;
        var memory = Memory(name, MemoryExecutable, out error);
        if (memory is null && error.Errno == invalid)
        {
            memory = Memory(name, out error);
        }

        for (var rest = program; memory is not null && rest.Length > 0;)
        {
            var length = Files.Write(memory, rest, out var refused);
            if (length <= 0)
            {
                memory.Dispose();
                memory = null;
                error = refused ?? new SystemCallError("write", 5);
                return null;
            }

            rest = rest[length..];
        }

        if (memory is not null && Syscalls.fcntl_int(memory.Number, AddSeals, AllSeals) != 0)
        {
            error = SystemCallError.Last("fcntl");
            memory.Dispose();
            return null;
        }

        return memory;
    }

    /// <summary>
    /// The contents of a sealed memory file; null if the file is not sealed, because another process could change it during the
    /// read.
    /// </summary>
    public static byte[]? ReadSealed(DescriptorHandle memory, out SystemCallError? error) =>
        IsSealed(memory, out error) ? Files.ReadAll(memory, out error) : null;

    /// <summary>The same without a copy. The caller disposes the result when it does not use the memory any more.</summary>
    public static MappedFile? MapSealed(DescriptorHandle memory, out SystemCallError? error) =>
        IsSealed(memory, out error) ? MappedFile.Of(memory, out error) : null;

    private static bool IsSealed(DescriptorHandle memory, out SystemCallError? error)
    {
        var seals = Syscalls.fcntl_int(memory.Number, GetSeals, 0);
        error = seals < 0 ? SystemCallError.Last("fcntl") : null;
        return seals >= 0 && (seals & AllSeals) == AllSeals;
    }

    /// <summary>The keeper's program (keeper.c).</summary>
    public static ReadOnlySpan<byte> KeeperProgram
    {
        get
        {
            nuint length;
            var image = Syscalls.listend_keeper_image(&length);
            return new ReadOnlySpan<byte>(image, (int)length);
        }
    }

    /// <summary>The launcher's program (launch.c).</summary>
    public static ReadOnlySpan<byte> LauncherProgram
    {
        get
        {
            nuint length;
            var image = Syscalls.listend_launcher_image(&length);
            return new ReadOnlySpan<byte>(image, (int)length);
        }
    }

    /// <summary>The disposer's program (disposer.c).</summary>
    public static ReadOnlySpan<byte> DisposerProgram
    {
        get
        {
            nuint length;
            var image = Syscalls.listend_disposer_image(&length);
            return new ReadOnlySpan<byte>(image, (int)length);
        }
    }

    /// <summary>Whether execve() keeps a descriptor; false if it is not open.</summary>
    public static bool SurvivesExecution(int descriptor) =>
        Syscalls.fcntl_int(descriptor, GetDescriptorFlags, 0) is >= 0 and var flags && (flags & 1) == 0;

    /// <summary>
    /// execve(2): this process becomes <paramref name="path"/> and keeps descriptors 0 to 2 and <paramref name="passed"/>. Main
    /// thread only: on another thread execve() ends the main thread, which parent-death watchers would notice. Returns only if
    /// the kernel refuses the call, and then nothing has changed. The daemon's signals stay blocked in the new program until it
    /// calls <see cref="Processes.UnblockSignals"/>.
    /// </summary>
    public static SystemCallError Execute(
        string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, IReadOnlyList<DescriptorHandle> passed)
    {
        var memory = new List<nint>();
        var former = stackalloc byte[SetSize];
        var held = stackalloc byte[SetSize];
        try
        {
            var program = Text(path, memory);
            var argumentBlock = Block(arguments, memory);
            var environmentBlock = Block(environment, memory);

            // Libraries may have opened descriptors without close-on-exec (the collector opens /proc/meminfo). Linux 5.11.
            Syscalls.syscall(CloseRange, 3, -1, CloseOnExecRange, 0);
            foreach (var descriptor in passed)
            {
                _ = Syscalls.fcntl_int(descriptor.Number, SetDescriptorFlags, 0);
            }

            _ = Syscalls.sigemptyset(held);
            foreach (var signal in Held)
            {
                _ = Syscalls.sigaddset(held, signal);
            }

            const int block = 0;
            const int set = 2;
            _ = Syscalls.pthread_sigmask(block, held, former);
            _ = Syscalls.execve(program, argumentBlock, environmentBlock);
            var error = SystemCallError.Last("execve");
            _ = Syscalls.pthread_sigmask(set, former, null);
            foreach (var descriptor in passed)
            {
                Descriptors.SetCloseOnExec(descriptor);
            }

            return error;
        }
        finally
        {
            foreach (var block in memory)
            {
                NativeMemory.Free((void*)block);
            }
        }
    }

    /// <summary>
    /// This process's environment as NAME=VALUE, without the variables for which <paramref name="isLeftOut"/> is true.
    /// </summary>
    public static IReadOnlyList<string> EnvironmentWithout(Func<string, bool> isLeftOut)
    {
        var variables = new List<string>();
        foreach (var (name, value) in OwnProcess.Environment)
        {
            if (!isLeftOut(name))
            {
                variables.Add($"{name}={value}");
            }
        }

        return variables;
    }

    private static byte* Text(string text, List<nint> memory)
    {
        var bytes = ByteText.Encode(text + "\0");
        var block = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
        memory.Add((nint)block);
        bytes.CopyTo(new Span<byte>(block, bytes.Length));
        return block;
    }

    private static byte** Block(IReadOnlyList<string> strings, List<nint> memory)
    {
        var block = (byte**)NativeMemory.AllocZeroed((nuint)(sizeof(byte*) * (strings.Count + 1)));
        memory.Add((nint)block);
        for (var i = 0; i < strings.Count; i++)
        {
            block[i] = Text(strings[i], memory);
        }

        return block;
    }
}
