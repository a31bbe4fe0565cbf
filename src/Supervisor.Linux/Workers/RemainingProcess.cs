using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>A process of a worker other than its main process, found by a <see cref="Sweep"/>.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="StartTime">Field 22 of its /proc/PID/stat, which identifies it together with the id.</param>
/// <param name="Pidfd">Its pidfd; the receiver owns it.</param>
internal sealed record RemainingProcess(int Pid, ulong StartTime, DescriptorHandle Pidfd);
