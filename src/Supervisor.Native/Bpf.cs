using System.Text;

namespace Supervisor.Native;

/// <summary>bpf(2): maps and programs, by descriptors that the caller owns. The kernel makes each descriptor close-on-exec.</summary>
public static unsafe class Bpf
{
    // enum bpf_cmd, linux/bpf.h.
    private const int MapCreate = 0;
    private const int MapLookup = 1;
    private const int MapUpdate = 2;
    private const int MapDelete = 3;
    private const int ProgramLoad = 5;
    private const int MapLookupBatch = 24;

    /// <summary>Length of a name in the kernel, with its final zero: BPF_OBJ_NAME_LEN, linux/bpf.h.</summary>
    private const int NameLength = 16;

    /// <summary>The log of the verifier, if it refuses a program. The kernel writes no more than this.</summary>
    private const int LogLength = 64 * 1024;

    /// <summary>Creates a map. EPERM without CAP_BPF.</summary>
    /// <param name="type">The type, from enum bpf_map_type.</param>
    /// <param name="keySize">The size of a key in bytes.</param>
    /// <param name="valueSize">The size of a value in bytes.</param>
    /// <param name="entries">The most entries.</param>
    /// <param name="name">At most 15 letters, digits, dots and underscores, which bpftool(8) shows.</param>
    /// <param name="error">Why there is no map.</param>
    public static DescriptorHandle? CreateMap(int type, int keySize, int valueSize, int entries, string name, out SystemCallError? error)
    {
        var attributes = new MapAttributes { Type = type, KeySize = keySize, ValueSize = valueSize, Entries = entries };
        SetName(attributes.Name, name);
        return Open(MapCreate, &attributes, sizeof(MapAttributes), out error);
    }

    /// <summary>Reads the value of a key. ENOENT if there is none.</summary>
    public static SystemCallError? Lookup(DescriptorHandle map, ReadOnlySpan<byte> key, Span<byte> value)
    {
        fixed (byte* keyBytes = key, valueBytes = value)
        {
            return Element(MapLookup, map, keyBytes, valueBytes);
        }
    }

    /// <summary>Sets the value of a key, present or not.</summary>
    public static SystemCallError? Update(DescriptorHandle map, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        fixed (byte* keyBytes = key, valueBytes = value)
        {
            return Element(MapUpdate, map, keyBytes, valueBytes);
        }
    }

    /// <summary>Removes a key. ENOENT if there is none.</summary>
    public static SystemCallError? Delete(DescriptorHandle map, ReadOnlySpan<byte> key)
    {
        fixed (byte* keyBytes = key)
        {
            return Element(MapDelete, map, keyBytes, null);
        }
    }

    /// <summary>
    /// Reads many entries of a hash map (Linux 5.6). An entry that is added or removed in the meantime may be missed.
    /// </summary>
    /// <param name="map">The map.</param>
    /// <param name="cursor">Four bytes that the kernel uses: where the next call continues.</param>
    /// <param name="isFirst">Whether this call begins.</param>
    /// <param name="keys">Receives the keys.</param>
    /// <param name="values">Receives the values.</param>
    /// <param name="count">How many fit; then, how many were read.</param>
    /// <returns>ENOENT when all have been read; <paramref name="count"/> counts then too. ENOSPC if a bucket does not fit.</returns>
    public static SystemCallError? LookupBatch(
        DescriptorHandle map, Span<byte> cursor, bool isFirst, Span<byte> keys, Span<byte> values, ref int count)
    {
        fixed (byte* at = cursor, keyBytes = keys, valueBytes = values)
        {
            var attributes = new BatchAttributes
            {
                From = isFirst ? 0 : (ulong)at,
                To = (ulong)at,
                Keys = (ulong)keyBytes,
                Values = (ulong)valueBytes,
                Count = count,
                Map = map.Number,
            };
            var result = Syscalls.syscall(Number, MapLookupBatch, (nint)(&attributes), sizeof(BatchAttributes), 0);
            count = attributes.Count;
            return result == 0 ? null : SystemCallError.Last("bpf");
        }
    }

    /// <summary>Loads a program. EPERM without CAP_BPF; EINVAL or EACCES if the verifier refuses it.</summary>
    /// <param name="type">The type, from enum bpf_prog_type.</param>
    /// <param name="attachType">The use, from enum bpf_attach_type.</param>
    /// <param name="instructions">The instructions, struct bpf_insn each.</param>
    /// <param name="name">At most 15 letters, digits, dots and underscores, which bpftool(8) shows.</param>
    /// <param name="error">Why there is no program.</param>
    /// <param name="log">What the verifier says of a refused program; null if it says nothing.</param>
    public static DescriptorHandle? LoadProgram(
        int type, int attachType, ReadOnlySpan<ulong> instructions, string name, out SystemCallError? error, out string? log)
    {
        log = null;
        var loaded = Load(type, attachType, instructions, name, [], out error);
        if (loaded is not null || error is { Name: "EPERM" or "ENOSYS" })
        {
            return loaded;
        }

        // Only a refused program needs the log, which makes the verifier slower.
        var buffer = new byte[LogLength];
        loaded = Load(type, attachType, instructions, name, buffer, out error);
        var length = Array.IndexOf(buffer, (byte)0);
        log = loaded is null && length > 0 ? Encoding.UTF8.GetString(buffer, 0, length).Trim() : null;
        return loaded;
    }

    /// <summary>The number of bpf(2), asm/unistd.h: the two supported architectures differ.</summary>
    private static nint Number => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
        == System.Runtime.InteropServices.Architecture.Arm64 ? 280 : 321;

    private static DescriptorHandle? Load(
        int type, int attachType, ReadOnlySpan<ulong> instructions, string name, Span<byte> log, out SystemCallError? error)
    {
        // No helper that the programs call is limited to the GPL.
        fixed (byte* license = "MIT\0"u8, logBytes = log)
        fixed (ulong* first = instructions)
        {
            var attributes = new ProgramAttributes
            {
                Type = type,
                InstructionCount = instructions.Length,
                Instructions = (ulong)first,
                License = (ulong)license,
                LogLevel = log.IsEmpty ? 0 : 1,
                LogSize = log.Length,
                Log = log.IsEmpty ? 0 : (ulong)logBytes,
                AttachType = attachType,
            };
            SetName(attributes.Name, name);
            return Open(ProgramLoad, &attributes, sizeof(ProgramAttributes), out error);
        }
    }

    private static DescriptorHandle? Open(int command, void* attributes, int size, out SystemCallError? error)
    {
        var descriptor = Syscalls.syscall(Number, command, (nint)attributes, size, 0);
        error = descriptor >= 0 ? null : SystemCallError.Last("bpf");
        return descriptor >= 0 ? new DescriptorHandle((int)descriptor) : null;
    }

    private static SystemCallError? Element(int command, DescriptorHandle map, byte* key, byte* value)
    {
        var attributes = new ElementAttributes { Map = map.Number, Key = (ulong)key, Value = (ulong)value };
        return Syscalls.syscall(Number, command, (nint)(&attributes), sizeof(ElementAttributes), 0) == 0
            ? null
            : SystemCallError.Last("bpf");
    }

    private static void SetName(byte* into, string name) => Encoding.ASCII.GetBytes(name, new Span<byte>(into, NameLength - 1));

    /// <summary>union bpf_attr for BPF_MAP_CREATE, until map_name.</summary>
    private struct MapAttributes
    {
        public int Type;
        public int KeySize;
        public int ValueSize;
        public int Entries;
        public uint Flags;
        public uint InnerMap;
        public uint NumaNode;
        public fixed byte Name[NameLength];
    }

    /// <summary>union bpf_attr for BPF_MAP_*_ELEM.</summary>
    private struct ElementAttributes
    {
        public long Map;
        public ulong Key;
        public ulong Value;
        public ulong Flags;
    }

    /// <summary>union bpf_attr for BPF_MAP_LOOKUP_BATCH.</summary>
    private struct BatchAttributes
    {
        public ulong From;
        public ulong To;
        public ulong Keys;
        public ulong Values;
        public int Count;
        public int Map;
        public ulong ElementFlags;
        public ulong Flags;
    }

    /// <summary>union bpf_attr for BPF_PROG_LOAD, until expected_attach_type.</summary>
    private struct ProgramAttributes
    {
        public int Type;
        public int InstructionCount;
        public ulong Instructions;
        public ulong License;
        public int LogLevel;
        public int LogSize;
        public ulong Log;
        public uint KernelVersion;
        public uint Flags;
        public fixed byte Name[NameLength];
        public uint InterfaceIndex;
        public int AttachType;
    }
}
