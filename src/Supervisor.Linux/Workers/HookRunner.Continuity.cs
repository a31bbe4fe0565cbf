using System.Collections.Immutable;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Hooks in the manifest.</summary>
internal sealed partial class HookRunner
{
    /// <summary>The hook that runs, and those that wait.</summary>
    public (HookEntry? Running, ImmutableArray<HookEffect> Waiting) Keep(string service, OutgoingDescriptors? descriptors)
    {
        ImmutableArray<HookEffect> waiting = [.. _waiting.Select(one => one.Hook)];
        if (_process is not { } process)
        {
            return (null, waiting);
        }

        descriptors?.Add(DescriptorKey.Hook(service, "process"), process.Pidfd);
        descriptors?.Add(DescriptorKey.Hook(service, "output"), process.Output.Descriptor);
        descriptors?.Add(DescriptorKey.Hook(service, "error"), process.Error.Descriptor);
        return (new HookEntry { Hook = _hook!, Pid = process.Pid, StartTime = ProcFile.Read(process.Pid)?.StartTime ?? 0, Timeout = _timeout, Deadline = NextDeadline }, waiting);
    }

    /// <summary>Goes on with a predecessor's hook, a child of this process. False where it cannot be had: then it has failed.</summary>
    public bool Adopt(string service, HookEntry entry, IncomingDescriptors descriptors, OrphanReaper? orphans)
    {
        if (descriptors.Take(DescriptorKey.Hook(service, "process")) is not { } pidfd)
        {
            return false;
        }

        OutputPipe Pipe(string what, bool isError) => new(
            descriptors.Take(DescriptorKey.Hook(service, what)) ?? Files.EndedPipe(), line => _log.HookOutput(entry.Hook, entry.Pid, line, isError));

        _process = new HookProcess(entry.Pid, pidfd, Pipe("output", false), Pipe("error", true), orphans);
        _hook = entry.Hook;
        _timeout = entry.Timeout;
        _timedOut = entry.Deadline is null;
        NextDeadline = entry.Deadline;
        Attach(_process);
        return true;
    }
}
