using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>struct listend_spawn of spawn.h, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpawnRequest
{
    public byte* Path;
    public byte** Arguments;
    public byte** Environment;
    public byte** PidSlots;
    public byte* Directory;
    public uint* Groups;
    public SpawnLimit* Limits;
    public int* Descriptors;
    public ulong Ambient;
    public int PidSlotCount;
    public int GroupCount;
    public int LimitCount;
    public int DescriptorCount;
    public int CgroupDescriptor;
    public int Umask;
    public int Nice;
    public int NoNewPrivileges;
    public uint Uid;
    public uint Gid;
    public int Pid;
    public int PidDescriptor;
    public int Stage;
    public int Error;
    public int Detail;
    public int Running;
    public int SharesDescriptors;
    public int Reserved;
}

/// <summary>struct listend_limit of spawn.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SpawnLimit
{
    public int Resource;
    public int Reserved;
    public ulong Value;
}
