using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// What the process that started the daemon gave it by LISTEN_FDS (sd_listen_fds(3)). Owns each descriptor until it is
/// taken. The variables are meant for this process alone: <c>Spawner</c> passes none of them on.
/// </summary>
public sealed class InheritedDescriptors
{
    private const int Start = 3;
    private const int Max = 4096;

    private readonly List<(string Name, DescriptorHandle Descriptor)> _descriptors = [];

    private InheritedDescriptors()
    {
    }

    /// <summary>Those that nobody has taken, with their names; <c>unknown</c> where none was said.</summary>
    public IReadOnlyList<(string Name, DescriptorHandle Descriptor)> Remaining => _descriptors;

    /// <summary>Takes them over. <paramref name="complaint"/> says what is wrong with the variables, if anything is.</summary>
    /// <param name="complaint">What is wrong.</param>
    /// <param name="most">More are not believed.</param>
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
            complaint = $"LISTEN_FDS={count} is for process {pid ?? "(LISTEN_PID is not set)"}, not for this one ({Processes.CurrentPid}): ignored";
            return inherited;
        }

        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > most)
        {
            complaint = $"LISTEN_FDS=\"{count}\" is no number of descriptors: ignored";
            return inherited;
        }

        var names = Environment.GetEnvironmentVariable("LISTEN_FDNAMES")?.Split(':') ?? [];
        for (var i = 0; i < number; i++)
        {
            var descriptor = new DescriptorHandle(Start + i);
            if (Files.SetCloseOnExec(descriptor) is { } error)
            {
                complaint = $"LISTEN_FDS={count}, but descriptor {Start + i} is not open: {error}";
                descriptor.SetHandleAsInvalid();
                continue;
            }

            inherited._descriptors.Add((i < names.Length && names[i].Length > 0 ? names[i] : "unknown", descriptor));
        }

        return inherited;
    }

    /// <summary>Hands all of them over to the caller.</summary>
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
