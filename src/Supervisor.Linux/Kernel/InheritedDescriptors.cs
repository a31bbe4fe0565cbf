using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// The descriptors that the daemon's parent passed by LISTEN_FDS (sd_listen_fds(3)). Owns each until it is taken. The variables
/// are for this process only: <c>Spawner</c> does not pass them on.
/// </summary>
public sealed class InheritedDescriptors
{
    private const int Start = 3;
    private const int Max = 4096;

    private readonly List<(string Name, DescriptorHandle Descriptor)> _descriptors = [];

    private InheritedDescriptors()
    {
    }

    /// <summary>The descriptors that were not taken, with their names; <c>unknown</c> if there is no name.</summary>
    public IReadOnlyList<(string Name, DescriptorHandle Descriptor)> Remaining => _descriptors;

    /// <summary>Takes the descriptors over. <paramref name="complaint"/> reports an error in the variables.</summary>
    /// <param name="complaint">The error; null if there is none.</param>
    /// <param name="most">The largest valid number of descriptors.</param>
    public static InheritedDescriptors FromEnvironment(out string? complaint, int most = Max)
    {
        complaint = null;
        var inherited = new InheritedDescriptors();
        var count = Environment.GetEnvironmentVariable("LISTEN_FDS");
        var pid = Environment.GetEnvironmentVariable("LISTEN_PID");
        if (count is null)
        {
            return inherited;
        }

        if (pid != Processes.CurrentPid.ToString(CultureInfo.InvariantCulture))
        {
            complaint = pid is null
                ? $"LISTEN_FDS={count}: LISTEN_PID is not set: ignored"
                : $"LISTEN_FDS={count}: LISTEN_PID={pid} is not this process ({Processes.CurrentPid}): ignored";
            return inherited;
        }

        // A process id is used again, and this number is not.
        if (Environment.GetEnvironmentVariable(ChildProcess.PidfdVariable) is { } id && Processes.OwnPidfdInode is { } own
            && id != own.ToString(CultureInfo.InvariantCulture))
        {
            complaint = $"LISTEN_FDS={count}: LISTEN_PIDFDID={id} is not this process ({own}): ignored";
            return inherited;
        }

        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > most)
        {
            complaint = $"LISTEN_FDS=\"{count}\" is not a valid number of descriptors: ignored";
            return inherited;
        }

        var names = Environment.GetEnvironmentVariable("LISTEN_FDNAMES")?.Split(':') ?? [];
        for (var i = 0; i < number; i++)
        {
            var descriptor = new DescriptorHandle(Start + i);
            if (Descriptors.SetCloseOnExec(descriptor) is { } error)
            {
                complaint = $"LISTEN_FDS={count}: descriptor {Start + i} is not open: {error}";
                descriptor.SetHandleAsInvalid();
                continue;
            }

            inherited._descriptors.Add((i < names.Length && names[i].Length > 0 ? names[i] : "unknown", descriptor));
        }

        return inherited;
    }

    /// <summary>Hands all descriptors over to the caller.</summary>
    public IReadOnlyList<(string Name, DescriptorHandle Descriptor)> TakeAll()
    {
        var all = _descriptors.ToArray();
        _descriptors.Clear();
        return all;
    }

    /// <summary>Hands the descriptor at <paramref name="index"/> of <see cref="Remaining"/> over to the caller.</summary>
    public DescriptorHandle Take(int index)
    {
        var descriptor = _descriptors[index].Descriptor;
        _descriptors.RemoveAt(index);
        return descriptor;
    }
}
