namespace Supervisor.Linux.Steering;

/// <summary>
/// A register of the BPF machine (Documentation/bpf/standardization/instruction-set.rst). A call returns in R0, takes R1 to R5
/// and leaves R6 to R9. R10 is the end of the stack, which grows down and has 512 bytes.
/// </summary>
internal enum BpfRegister
{
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    Stack,
}

/// <summary>The size of a load or a store: BPF_W, BPF_B and BPF_DW, linux/bpf_common.h and linux/bpf.h.</summary>
internal enum BpfSize
{
    Word = 0x00,
    Byte = 0x10,
    Double = 0x18,
}

/// <summary>A condition of a jump: BPF_JEQ, BPF_JGT, BPF_JSET and BPF_JNE, linux/bpf_common.h and linux/bpf.h.</summary>
internal enum BpfCondition
{
    Equal = 0x10,
    Greater = 0x20,
    AnyBit = 0x40,
    NotEqual = 0x50,
}

/// <summary>A function of the kernel that a program calls: enum bpf_func_id, linux/bpf.h.</summary>
internal enum BpfHelper
{
    MapLookup = 1,
    MapUpdate = 2,
    SkbLoadBytes = 26,
    SkbLoadBytesRelative = 68,
    SelectReusePort = 82,
    CoarseTime = 160,
}
