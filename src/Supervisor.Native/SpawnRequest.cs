using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>struct listend_spawn of spawn.h, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpawnRequest
{
    public byte** Arguments;
    public byte** Environment;
    public SpawnDirect Direct;
    public int* Descriptors;
    public int DescriptorCount;
    public int IsChannel;
    public int Pid;
    public int PidDescriptor;
    public int Error;
    public int Running;
    public int ByLauncher;
    public SpawnOutcome Outcome;
}

/// <summary>struct listend_direct of spawn.h: a program that the child may execute without the launcher.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpawnDirect
{
    public byte* Path;
    public byte** Arguments;
    public ulong Device;
    public ulong Inode;
    public byte* Directory;
    public byte* OwnDirectory;
    public int Given;
    public int Cgroup;
    public int Umask;
    public int NoNewPrivileges;
    public int IgnoreSigpipe;
    public int PidVariables;
}

/// <summary>struct listend_outcome of spawn.h: the failed step, as read from the status socket.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SpawnOutcome
{
    public int Stage;
    public int Error;
    public int Detail;
}

/// <summary>struct listend_pin_report of spawn.h, without the paths that follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SpawnPinReport
{
    public int Stage;
    public int Pin;
    public int Use;
    public int Mode;
    public ulong Device;
    public ulong Inode;
}
