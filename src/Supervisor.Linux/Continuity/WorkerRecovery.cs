using System.Diagnostics;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// Finds the processes of a dead daemon's workers and hooks, and takes sockets from them. Two facts identify them: all user ids
/// are a worker's (a set-user-id program has others), and the token, which only workers and hooks got.
/// </summary>
public sealed class WorkerRecovery
{
    /// <summary>How long the search for sockets may take: the successor serves no client before.</summary>
    private static readonly TimeSpan SearchPatience = TimeSpan.FromSeconds(5);

    /// <summary>The most pidfds that a search opens.</summary>
    private const int MostFound = 512;

    private readonly DaemonManifest _manifest;
    private readonly string _broker;
    private readonly WorkerTokens? _tokens;
    private readonly HashSet<uint> _users;

    /// <summary>For the daemon that wrote <paramref name="manifest"/> and whose broker listened at <paramref name="broker"/>.</summary>
    public WorkerRecovery(DaemonManifest manifest, string broker)
    {
        _manifest = manifest;
        _broker = broker;
        _tokens = manifest.TokenMark is { } mark ? new WorkerTokens(mark) : null;
        _users =
        [
            .. manifest.Services
                .Where(service => service.Identity is not null)
                .Select(service => service.Identity!.Uid ?? Processes.EffectiveUid),
            .. manifest.Services.SelectMany(service => service.Workers).Select(worker => worker.Uid ?? Processes.EffectiveUid),
        ];
    }

    /// <summary>A process that the dead daemon started, or a descendant of one.</summary>
    /// <param name="Pid">Its id.</param>
    /// <param name="Pidfd">Its pidfd, opened before anything was read of it; the receiver owns it.</param>
    /// <param name="Token">Its token; null if a version without tokens started it.</param>
    /// <param name="NotifyPath">Its NOTIFY_SOCKET, used only without a token.</param>
    /// <param name="ConnectionOf">The service for which it serves a connection; null for any other process.</param>
    public sealed record Found(int Pid, DescriptorHandle Pidfd, string? Token, string? NotifyPath, string? ConnectionOf);

    /// <summary>
    /// Takes sockets by inode from the processes that hold them (pidfd_getfd(2), which needs the right to trace them). A socket
    /// that no worker holds is missing in the result. Searches the workers of the state first, then all of /proc, for a few seconds
    /// at most.
    /// </summary>
    public IReadOnlyDictionary<ulong, DescriptorHandle> TakeSockets(IReadOnlySet<ulong> inodes)
    {
        var taken = new Dictionary<ulong, DescriptorHandle>();
        var began = Stopwatch.GetTimestamp();
        var left = new HashSet<ulong>(inodes);
        foreach (var worker in _manifest.Services.SelectMany(service => service.Workers).Where(worker => worker.StartTime != 0))
        {
            if (left.Count > 0 && ProcFile.Read(worker.Pid)?.StartTime == worker.StartTime)
            {
                TakeOf(worker.Pid, left, taken);
            }
        }

        foreach (var pid in left.Count > 0 ? ProcFile.All() : [])
        {
            if (left.Count == 0 || Stopwatch.GetElapsedTime(began) > SearchPatience)
            {
                break;
            }

            if (OfWorker(pid) is { } user && Variables(pid, user).GetAwaiter().GetResult() is not null)
            {
                TakeOf(pid, left, taken);
            }
        }

        return taken;
    }

    /// <summary>
    /// Finds all such processes that are older than this process, not its children, and not a main process that the state names. Reads
    /// each environment once. Not on the loop, because a process can make that slow.
    /// </summary>
    public async Task<IReadOnlyList<Found>> FindAsync()
    {
        // Most of the processes are the workers that the state names. They are recognised without a look at their environment.
        var known = _manifest.Services.SelectMany(service => service.Workers).Where(worker => worker.StartTime != 0)
            .Select(worker => (worker.Pid, worker.StartTime)).ToHashSet();
        var own = ProcFile.Read(Processes.CurrentPid)?.StartTime ?? ulong.MaxValue;
        var found = new List<Found>();
        foreach (var pid in ProcFile.All())
        {
            if (found.Count == MostFound)
            {
                break;
            }

            if (known.Count > 0 && ProcFile.Read(pid) is { } there && known.Contains((pid, there.StartTime)))
            {
                continue;
            }

            if (OfWorker(pid) is not { } user || Processes.OpenPidfd(pid, out _) is not { } pidfd)
            {
                continue;
            }

            if (ProcFile.Read(pid) is { HasEnded: false } process && process.StartTime <= own && process.ParentPid != Processes.CurrentPid
                && await Variables(pid, user).ConfigureAwait(false) is { } variables && OfWorker(pid) == user && Processes.IsThere(pidfd))
            {
                var service = process.SessionId == pid ? variables.ConnectionOf : null;
                found.Add(new Found(pid, pidfd, variables.Token, variables.NotifyPath, service));
            }
            else
            {
                pidfd.Dispose();
            }
        }

        return found;
    }

    /// <summary>The user of a process that may be a worker's; null for any other process.</summary>
    private uint? OfWorker(int pid) =>
        ProcFile.UsersOf(pid) is { } ids && ids.Real == ids.Effective && ids.Effective == ids.Saved && _users.Contains(ids.Real)
            ? ids.Real
            : null;

    /// <summary>The environment of a process that the dead daemon started; null for any other process.</summary>
    private async Task<(string? Token, string? NotifyPath, string? ConnectionOf)?> Variables(int pid, uint user)
    {
        var values = await ProcessEnvironment
            .ReadAsync(pid, user, WorkerTokens.Variable, "NOTIFY_SOCKET", "LISTEND_BROKER", "LISTEND_SERVICE", "LISTEND_WORKER")
            .ConfigureAwait(false);
        var isOurs = _tokens is null ? values[2] == _broker && values[3] is not null : _tokens.IsOurs(values[0]);

        // A hook has no slot, and any other worker a notify socket.
        var service = _tokens is not null && values[1] is null && values[4] is not null ? values[3] : null;
        return isOurs ? (_tokens is null ? null : values[0], values[1], service) : null;
    }

    private static void TakeOf(int pid, HashSet<ulong> left, Dictionary<ulong, DescriptorHandle> taken)
    {
        var found = new List<OpenFiles.Found>();
        OpenFiles.FindSocketsOf(pid, left, found);
        foreach (var one in found)
        {
            if (!left.Contains(one.Inode) || OpenFiles.Borrow(one.Pid, one.Descriptor) is not { } descriptor)
            {
                continue;
            }

            // The number may be another file's by now.
            if (Files.GetStatus(descriptor, out var status) is null && status.IsSocket && status.Inode == one.Inode)
            {
                left.Remove(one.Inode);
                taken.Add(one.Inode, descriptor);
            }
            else
            {
                descriptor.Dispose();
            }
        }
    }
}
