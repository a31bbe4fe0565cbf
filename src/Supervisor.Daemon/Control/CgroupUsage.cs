using Supervisor.Control;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>The resources that workers in their own cgroups use. Reads files, so do not call it on the loop.</summary>
internal static class CgroupUsage
{
    /// <summary>Adds the usage to the document.</summary>
    public static StatusDocument Fill(StatusDocument status) => status with { Services = [.. status.Services.Select(Fill)] };

    /// <summary>Adds the usage of one service.</summary>
    public static ServiceDocument Fill(ServiceDocument service) =>
        service.Workers.All(worker => worker.Cgroup is null) ? service : service with { Workers = [.. service.Workers.Select(Fill)] };

    private static WorkerDocument Fill(WorkerDocument worker) => worker.Cgroup is not { } path ? worker : worker with
    {
        CpuUsec = (long?)WorkerCgroup.ProcessorTime(path)?.TotalMicroseconds,
        MemoryBytes = WorkerCgroup.Memory(path),
    };
}
