using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>A process that may have left a worker's session.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Pidfd">Its pidfd, opened before anything else was read.</param>
/// <param name="Process">Its fields of /proc/PID/stat.</param>
/// <param name="Uid">Its real, effective and saved user id.</param>
/// <param name="Token">Its token; null if it has none or it could not be read.</param>
/// <param name="IsChild">Whether it is the daemon's child.</param>
/// <param name="Held">Inodes of the listeners that it holds.</param>
/// <param name="Command">Its short name.</param>
internal sealed record Stray(int Pid, DescriptorHandle Pidfd, ProcFile Process, uint Uid, string? Token, bool IsChild, ulong[] Held,
    string? Command);
