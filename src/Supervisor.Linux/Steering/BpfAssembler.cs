using Supervisor.Native;

namespace Supervisor.Linux.Steering;

/// <summary>
/// Writes a BPF program, one method for each kind of instruction. Jumps name labels, which may follow later. An instruction is
/// struct bpf_insn: 8 bits code, 4 bits destination, 4 bits source, 16 bits offset, 32 bits constant.
/// </summary>
internal sealed class BpfAssembler
{
    // Classes, linux/bpf_common.h and linux/bpf.h: which instructions, and whether the operand is a register.
    private const int LoadImmediate = 0x00;
    private const int LoadClass = 0x61;
    private const int StoreConstantClass = 0x62;
    private const int StoreClass = 0x63;
    private const int AtomicClass = 0xc3;
    private const int JumpClass = 0x05;
    private const int Alu64Class = 0x07;
    private const int FromRegister = 0x08;

    // Operations of BPF_ALU64 and BPF_JMP.
    private const int AddOperation = 0x00;
    private const int MultiplyOperation = 0x20;
    private const int ShiftRightOperation = 0x70;
    private const int ShiftLeftOperation = 0x60;
    private const int MoveOperation = 0xb0;
    private const int SubtractOperation = 0x10;
    private const int CallOperation = 0x80;
    private const int ExitOperation = 0x90;

    /// <summary>BPF_PSEUDO_MAP_FD as the source: the constant is the descriptor of a map.</summary>
    private const int MapDescriptor = 1;

    private readonly List<ulong> _instructions = [];
    private readonly Dictionary<string, int> _labels = new(StringComparer.Ordinal);
    private readonly List<(int At, string Label)> _jumps = [];

    public void Move(BpfRegister to, BpfRegister from) => Alu(MoveOperation | FromRegister, to, from);

    public void Move(BpfRegister to, int value) => Alu(MoveOperation, to, value: value);

    public void Add(BpfRegister to, int value) => Alu(AddOperation, to, value: value);

    public void Add(BpfRegister to, BpfRegister from) => Alu(AddOperation | FromRegister, to, from);

    public void Subtract(BpfRegister to, BpfRegister from) => Alu(SubtractOperation | FromRegister, to, from);

    public void Multiply(BpfRegister to, int value) => Alu(MultiplyOperation, to, value: value);

    public void ShiftLeft(BpfRegister to, int bits) => Alu(ShiftLeftOperation, to, value: bits);

    public void ShiftRight(BpfRegister to, int bits) => Alu(ShiftRightOperation, to, value: bits);

    /// <summary>The address of the first byte at <paramref name="offset"/> on the stack.</summary>
    public void MoveStackAddress(BpfRegister to, int offset)
    {
        Move(to, BpfRegister.Stack);
        Add(to, offset);
    }

    /// <summary>Loads the address of a map; the program keeps the map alive.</summary>
    public void LoadMap(BpfRegister to, DescriptorHandle map)
    {
        Emit(LoadImmediate | (int)BpfSize.Double, to, (BpfRegister)MapDescriptor, 0, map.Number);
        Emit(0, BpfRegister.R0, BpfRegister.R0, 0, 0);
    }

    public void Load(BpfSize size, BpfRegister to, BpfRegister address, int offset) =>
        Emit(LoadClass | (int)size, to, address, offset, 0);

    public void Store(BpfSize size, BpfRegister address, int offset, BpfRegister from) =>
        Emit(StoreClass | (int)size, address, from, offset, 0);

    public void Store(BpfSize size, BpfRegister address, int offset, int value) =>
        Emit(StoreConstantClass | (int)size, address, BpfRegister.R0, offset, value);

    /// <summary>Adds a register to 64 bits in memory, in one step for all processors.</summary>
    public void AtomicAdd(BpfRegister address, int offset, BpfRegister from) =>
        Emit(AtomicClass | (int)BpfSize.Double, address, from, offset, 0);

    public void JumpIf(BpfCondition condition, BpfRegister register, int value, string label) =>
        Jump(JumpClass | (int)condition, register, BpfRegister.R0, value, label);

    public void JumpIf(BpfCondition condition, BpfRegister register, BpfRegister other, string label) =>
        Jump(JumpClass | FromRegister | (int)condition, register, other, 0, label);

    public void Jump(string label) => Jump(JumpClass, BpfRegister.R0, BpfRegister.R0, 0, label);

    public void Call(BpfHelper helper) => Emit(JumpClass | CallOperation, BpfRegister.R0, BpfRegister.R0, 0, (int)helper);

    public void Exit() => Emit(JumpClass | ExitOperation, BpfRegister.R0, BpfRegister.R0, 0, 0);

    /// <summary>Names the next instruction.</summary>
    public void Label(string name) => _labels.Add(name, _instructions.Count);

    /// <summary>The program, with the jumps resolved.</summary>
    public ulong[] Assemble()
    {
        const int offsetShift = 16;
        var program = _instructions.ToArray();
        foreach (var (at, label) in _jumps)
        {
            program[at] |= (ulong)(ushort)(_labels[label] - at - 1) << offsetShift;
        }

        return program;
    }

    private void Alu(int operation, BpfRegister to, BpfRegister from = BpfRegister.R0, int value = 0) =>
        Emit(Alu64Class | operation, to, from, 0, value);

    private void Jump(int code, BpfRegister register, BpfRegister other, int value, string label)
    {
        _jumps.Add((_instructions.Count, label));
        Emit(code, register, other, 0, value);
    }

    private void Emit(int code, BpfRegister to, BpfRegister from, int offset, int constant) => _instructions.Add(
        (uint)code | ((uint)to << 8) | ((uint)from << 12) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)constant << 32));
}
