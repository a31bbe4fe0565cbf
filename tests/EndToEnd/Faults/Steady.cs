using System.Net.Http.Json;
using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd.Faults;

/// <summary>
/// The conditions of a steady service, whatever happened before: all workers are ready and of one generation, the daemon has
/// no other processes, and daemon, keeper and workers have only the descriptors of a fresh daemon.
/// </summary>
internal sealed class Steady
{
    private readonly Dictionary<string, int> _daemon;
    private readonly int _keeper;

    private Steady(Dictionary<string, int> daemon, int keeper) => (_daemon, _keeper) = (daemon, keeper);

    /// <summary>The state before the first fault.</summary>
    public static async Task<Steady> OfAsync(DaemonUnderTest daemon, string service)
    {
        await RestAsync(daemon, service);

        // With one connection to the control socket, because later checks also follow a request.
        using var http = daemon.Http();
        using var status = await http.GetAsync(new Uri("/v1/status", UriKind.Relative));
        return new Steady(Kinds(daemon.Pid), Keepers(daemon).Sum(pid => Processes.Descriptors(pid).Count));
    }

    /// <summary>The status of one service, from the control socket.</summary>
    public static async Task<ServiceDocument> AskAsync(DaemonUnderTest daemon, string service)
    {
        using var http = daemon.Http();
        var status = await http.GetFromJsonAsync("/v1/status", ControlJson.Default.StatusDocument);
        return status!.Services.Single(one => one.Name == service);
    }

    /// <summary>Waits until the service is steady: all workers are ready and of one generation.</summary>
    public static async Task<ServiceDocument> RestAsync(DaemonUnderTest daemon, string service, Func<ServiceDocument, bool>? rests = null)
    {
        rests ??= IsFull;
        var last = "";
        while (true)
        {
            var mark = daemon.Log.Count;
            var now = await AskAsync(daemon, service);
            if (rests(now))
            {
                return now;
            }

            last = Describe(now);
            try
            {
                await daemon.Log.AnyAsync(mark);
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"the service does not become steady: {last}");
            }
        }
    }

    /// <summary>Whether all workers are ready and of one generation, and no change is in progress.</summary>
    public static bool IsFull(ServiceDocument service) =>
        service.State == "running" && service.Ready == service.Desired && service.Workers.Count == service.Desired
        && service.Workers.All(worker => worker.State == "ready" && worker.Generation == service.Generation)
        && service.Rollout is null or { State: "done" or "rolled-back" or "superseded" or "failed" };

    /// <summary>The status as text.</summary>
    public static string Describe(ServiceDocument service) =>
        $"{service.State} ({service.Reason}), generation {service.Generation}, {service.Ready} of {service.Desired} ready; roll-out "
        + $"{service.Rollout?.State} {service.Rollout?.From} -> {service.Rollout?.To}: {service.Rollout?.Reason}; "
        + string.Join(
            ", ",
            service.Workers.Select(worker => $"{worker.Slot}/{worker.Generation} {worker.State} (pid {worker.Pid}) {worker.LastExit}"));

    /// <summary>Checks all conditions of a steady daemon.</summary>
    public async Task CheckAsync(DaemonUnderTest daemon, ServiceDocument service)
    {
        Assert.True(IsFull(service), Describe(service));
        var workers = service.Workers.Select(worker => worker.Pid!.Value).ToArray();
        Assert.All(workers, pid => Assert.True(Processes.IsAlive(pid), $"worker {pid} is dead: {Describe(service)}"));
        await UntilAsync(daemon, service.Name, () => Others(daemon, workers) is { Count: > 0 } others
            ? $"processes {string.Join(", ", others)} still run" : null);

        // The keeper of a dead daemon exits when the successor has taken its descriptors.
        await UntilAsync(
            daemon,
            service.Name,
            () => Keepers(daemon) is { Count: not 1 } keepers ? $"there are {keepers.Count} keepers: {string.Join(", ", keepers)}" : null);

        // A worker has its listeners and its accepted connections.
        foreach (var worker in workers)
        {
            var kinds = Kinds(worker);
            kinds.Remove("socket");
            Assert.Equal("/dev/null 1, pipe 2", Text(kinds));
        }

        // The notify socket of a worker that has ended goes when all of its processes have.
        await UntilAsync(daemon, service.Name, () =>
        {
            var sockets = Directory.EnumerateFiles(Path.Combine(daemon.Runtime, "notify")).Count();
            return sockets == workers.Length ? null : $"there are {sockets} notify sockets for {workers.Length} workers";
        });
        await UntilAsync(daemon, service.Name, () =>
        {
            // The link to the disposer, which starts on first use.
            var links = Helpers(daemon, "listend-dispose").Count > 0 ? 1 : 0;
            var hasMore = Kinds(daemon.Pid)
                .Any(kind => kind.Value > _daemon.GetValueOrDefault(kind.Key) + (kind.Key == "socket" ? links : 0));
            return hasMore ? $"the daemon has more descriptors than at its start ({Text(_daemon)}): {Text(Kinds(daemon.Pid))}" : null;
        });
        await UntilAsync(daemon, service.Name, () =>
        {
            var count = Keepers(daemon).Sum(pid => Processes.Descriptors(pid).Count);
            return count <= _keeper ? null : $"the keeper has {count} descriptors, and not {_keeper}";
        });
    }

    /// <summary>The listend-keeper of this daemon.</summary>
    public static IReadOnlyList<int> Keepers(DaemonUnderTest daemon) => Helpers(daemon, "listend-keeper");

    /// <summary>The daemon's processes that are neither workers nor helpers. A helper has its name a moment after its start.</summary>
    private static IReadOnlyList<int> Others(DaemonUnderTest daemon, IReadOnlyList<int> workers) =>
        [.. Processes.WithEnvironment(daemon.Runtime).Except([.. workers, .. Keepers(daemon), .. Helpers(daemon, "listend-dispose")])
            .Where(Processes.IsAlive)];

    /// <summary>The daemon's helper processes, by the start of their names.</summary>
    private static IReadOnlyList<int> Helpers(DaemonUnderTest daemon, string name) =>
        [.. Processes.WithEnvironment(daemon.Runtime).Where(pid => Name(pid).StartsWith(name, StringComparison.Ordinal))];

    private static string Name(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm");
        }
        catch (IOException)
        {
            // It has exited.
            return "";
        }
    }

    /// <summary>Open descriptors by kind, without the assemblies that a daemon that is not compiled to native code maps.</summary>
    private static Dictionary<string, int> Kinds(int pid) => Processes.Descriptors(pid).Values
        .Where(target => !target.StartsWith("/proc/", StringComparison.Ordinal) && !target.StartsWith("/sys/", StringComparison.Ordinal)
            && !target.EndsWith(".dll", StringComparison.Ordinal))
        .GroupBy(target => target.StartsWith('/') ? target : target.Split(':')[0] is "anon_inode" ? target : target.Split(':')[0])
        .ToDictionary(kind => kind.Key, kind => kind.Count(), StringComparer.Ordinal);

    private static string Text(Dictionary<string, int> kinds) =>
        string.Join(", ", kinds.OrderBy(kind => kind.Key, StringComparer.Ordinal).Select(kind => $"{kind.Key} {kind.Value}"));

    // The daemon closes its end of a control connection shortly after the client. Each check follows a further request, which
    // the daemon answers after that. A successor searches all processes for those of a dead daemon, which takes long on a busy
    // machine.
    private static async Task UntilAsync(DaemonUnderTest daemon, string service, Func<string?> wrong)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        while (wrong() is { } what)
        {
            Assert.False(limit.IsCancellationRequested, what);
            await AskAsync(daemon, service);
        }
    }
}
