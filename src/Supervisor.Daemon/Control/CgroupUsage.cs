using Supervisor.Control;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>What workers with cgroups of their own use. Files are read, so not on the loop.</summary>
internal static class CgroupUsage
{
    /// <summary>The document with it.</summary>
    public static StatusDocument Fill(StatusDocument status) => status with { Services = [.. status.Services.Select(Fill)] };

    /// <summary>One service's.</summary>
    public static ServiceDocument Fill(ServiceDocument service) =>
        service.Workers.All(worker => worker.Cgroup is null) ? service : service with { Workers = [.. service.Workers.Select(Fill)] };

    private static WorkerDocument Fill(WorkerDocument worker) => worker.Cgroup is not { } path ? worker : worker with
    {
        CpuUsec = (long?)WorkerCgroup.ProcessorTime(path)?.TotalMicroseconds,
        MemoryBytes = WorkerCgroup.Memory(path),
    };
}
