using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>struct listend_spawn of spawn.h, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpawnRequest
{
    public byte** Arguments;
    public byte** Environment;
    public int* Descriptors;
    public int DescriptorCount;
    public int Pid;
    public int PidDescriptor;
    public int Error;
    public int Running;
}

/// <summary>struct listend_outcome of spawn.h: the failed step, as read from the status pipe.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SpawnOutcome
{
    public int Stage;
    public int Error;
    public int Detail;
}
