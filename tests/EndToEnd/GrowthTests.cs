using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Supervisor.EndToEnd.Faults;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>
/// What a service costs in its life does not depend on how many services there are. The kernel counts the daemon's calls of read() and
/// write(), and the bytes that it writes (proc_pid_io(5)); the runtime counts what it allocates. Time is not measured.
/// </summary>
[Trait("Category", "Load")]
public class GrowthTests
{
    private const int Few = 100;
    private const int Many = 1000;

    /// <summary>How many services crash, restart, drain and stop.</summary>
    private const int Some = 20;

    /// <summary>How often a step is measured, each time with other services.</summary>
    private const int Measurements = 3;

    private const double MostGrowth = 1.5;

    /// <summary>Below it a growth says nothing: a line of the log that a few services share.</summary>
    private const long FewBytes = 256;

    /// <summary>8 KiB of state, and as much for the log.</summary>
    private const long MostBytes = 16 * 1024;

    /// <summary>The step that changes a listener and rolls its service out: the state and the log have both.</summary>
    private const string Replace = "replace";

    /// <summary>The runtime counts in pieces of 8 KiB for each thread.</summary>
    private const long FewAllocated = 8 * 1024;

    [Fact]
    public async Task A_service_costs_the_same_among_a_hundred_and_among_a_thousand()
    {
        var few = await CostsAsync(Few);
        var many = await CostsAsync(Many);
        foreach (var (step, cost) in many)
        {
            var text = $"{step}: {few[step]} among {Few}, {cost} among {Many}";
            Assert.True(cost.Calls <= few[step].Calls * MostGrowth, text);
            Assert.True(cost.Bytes <= Math.Max(FewBytes, few[step].Bytes * MostGrowth), text);
            Assert.True(cost.Bytes <= MostBytes * (step == Replace ? 2 : 1), text);
            Assert.True(cost.Allocated <= Math.Max(FewAllocated, few[step].Allocated * MostGrowth), text);
        }
    }

    private static async Task<IReadOnlyDictionary<string, Cost>> CostsAsync(int count)
    {
        var costs = new Dictionary<string, Cost>();
        await DaemonUnderTest.WithAsync(
            Config(count),
            async daemon =>
            {
                await daemon.Log.WaitForAsync(0, count, message => message.Kind == MessageIds.WorkerReady, "all workers are ready");
                using var http = daemon.Http();
                costs["start"] = (await Cost.OfAsync(daemon, http)).Each(count);
                costs["crash"] = await Cost.LeastAsync(first => EachAsync(daemon, http, first, async service =>
                {
                    var pid = Assert.Single(await daemon.ReadyAsync(service));
                    return () =>
                    {
                        RunningProgram.Kill(pid, Signals.Kill);
                        return Task.CompletedTask;
                    };
                }));
                costs["restart"] = await Cost.LeastAsync(first => EachAsync(
                    daemon, http, first, service => Task.FromResult(() => PostAsync(http, $"services/{service}/restart"))));
                costs["drain"] = await Cost.LeastAsync(first => DrainAsync(daemon, http, first));
                costs["reload"] = await ReloadAsync(daemon, http, count);
                costs["stop"] = await StopAsync(daemon, http);

                // The last step: so much is written for it that the whole state follows, in slices.
                costs[Replace] = await ReplaceAsync(daemon, http, count);
                daemon.Signal(Signals.Kill);
                await daemon.WaitAsync();
                await using var next = daemon.Again();
                await next.WaitUntilUpAsync();
                using var again = next.Http();
                costs["recovery"] = (await Cost.OfAsync(next, again)).Each(count);
                await next.LeaveAsync();
            },
            new DaemonOptions { ExitCode = 128 + Signals.Kill },
            QuickWorker.Compile);
        return costs;
    }

    /// <summary>The cost of a step for one service, without what prepares it.</summary>
    private static async Task<Cost> EachAsync(
        DaemonUnderTest daemon, HttpClient http, int first, Func<string, Task<Func<Task>>> prepare)
    {
        var steps = new List<(string Service, Func<Task> Run)>();
        for (var i = first; i < first + Some; i++)
        {
            steps.Add(($"s{i}", await prepare($"s{i}")));
        }

        var before = await Cost.BeforeAsync(daemon, http);
        foreach (var (service, run) in steps)
        {
            var mark = daemon.Log.Count;
            await run();
            await daemon.WaitUntilReadyAsync(service, from: mark);
        }

        return (await Cost.OfAsync(daemon, http)).Since(before).Each(Some);
    }

    /// <summary>Roll-outs whose old workers serve a slow request, so that they drain for a while and are sampled.</summary>
    private static async Task<Cost> DrainAsync(DaemonUnderTest daemon, HttpClient http, int first)
    {
        var clients = new List<Socket>();
        for (var i = first; i < first + Some; i++)
        {
            var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            clients.Add(client);
            await client.ConnectAsync(new UnixDomainSocketEndPoint(daemon.Directory[$"l{i}.sock"]));
            await client.SendAsync("GET /slow?ms=1500 HTTP/1.1\r\n\r\n"u8.ToArray());
        }

        var (before, mark) = (await Cost.BeforeAsync(daemon, http), daemon.Log.Count);
        for (var i = first; i < first + Some; i++)
        {
            await PostAsync(http, $"services/s{i}/restart");
        }

        await daemon.Log.WaitForAsync(mark, Some, message => message.Kind == MessageIds.WorkerExited, "old workers have exited");
        clients.ForEach(client => client.Dispose());
        return (await Cost.OfAsync(daemon, http)).Since(before).Each(Some);
    }

    /// <summary>A reload that changes nothing; the first one compares what the start has left.</summary>
    private static async Task<Cost> ReloadAsync(DaemonUnderTest daemon, HttpClient http, int count)
    {
        await PostAsync(http, "reload");
        var before = await Cost.BeforeAsync(daemon, http);
        await PostAsync(http, "reload");
        return (await Cost.OfAsync(daemon, http)).Since(before).Each(count);
    }

    /// <summary>A reload that gives each listener another socket: the former ones are closed when their workers have exited.</summary>
    private static async Task<Cost> ReplaceAsync(DaemonUnderTest daemon, HttpClient http, int count)
    {
        var file = daemon.Directory["run.toml"];
        await File.WriteAllTextAsync(
            file, (await File.ReadAllTextAsync(file)).Replace(
                $"unix://{daemon.Directory["l"]}", $"unix://{daemon.Directory["m"]}", StringComparison.Ordinal));
        var (before, mark) = (await Cost.BeforeAsync(daemon, http), daemon.Log.Count);
        await PostAsync(http, "reload");

        // A service that was stopped keeps its former socket until it starts.
        await Closed(count - Some);
        var cost = (await Cost.OfAsync(daemon, http)).Since(before).Each(count);
        for (var i = 0; i < Some; i++)
        {
            await PostAsync(http, $"services/s{i}/start");
        }

        await Closed(count);
        return cost;

        Task Closed(int sockets) => daemon.Log.WaitForAsync(
            mark, sockets, message => message.Kind == MessageIds.ListenerRetired, "former sockets are closed");
    }

    private static async Task<Cost> StopAsync(DaemonUnderTest daemon, HttpClient http)
    {
        var (before, mark) = (await Cost.BeforeAsync(daemon, http), daemon.Log.Count);
        for (var i = 0; i < Some; i++)
        {
            await PostAsync(http, $"services/s{i}/stop");
        }

        await daemon.Log.WaitForAsync(mark, Some, message => message.Kind == MessageIds.WorkerExited, "workers have exited");
        return (await Cost.OfAsync(daemon, http)).Since(before).Each(Some);
    }

    private static async Task PostAsync(HttpClient http, string target)
    {
        using var answer = await http.PostAsync("/v1/" + target, null);
        Assert.True(answer.IsSuccessStatusCode, $"{target}: {answer.StatusCode}");
    }

    private static string Config(int count)
    {
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"""
                [listener.l{i}]
                address = "unix://@dir@/l{i}.sock"
                listen.non_blocking = true

                [service.s{i}]
                {QuickWorker.Service}
                listeners = ["l{i}"]


                """);
        }

        return text.ToString();
    }

    /// <summary>What the kernel and the runtime counted for a process.</summary>
    /// <param name="Calls">Calls of read() and write(), and of their variants.</param>
    /// <param name="Bytes">Bytes written.</param>
    /// <param name="Allocated">Bytes of managed memory.</param>
    private readonly record struct Cost(long Calls, long Bytes, long Allocated)
    {
        public static async Task<Cost> OfAsync(DaemonUnderTest daemon, HttpClient http)
        {
            await using var status = await http.GetStreamAsync("/v1/status?services=false");
            using var document = await JsonDocument.ParseAsync(status);
            var memory = document.RootElement.GetProperty("daemon").GetProperty("memory");
            var fields = File.ReadLines($"/proc/{daemon.Pid}/io").Select(line => line.Split(": ")).ToDictionary(
                field => field[0], field => long.Parse(field[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
            return new Cost(fields["syscr"] + fields["syscw"], fields["wchar"], memory.GetProperty("allocated_bytes").GetInt64());
        }

        /// <summary>
        /// What was counted before a step. A question costs most after the number was taken, because it reads the configuration's file.
        /// </summary>
        public static async Task<Cost> BeforeAsync(DaemonUnderTest daemon, HttpClient http)
        {
            var (first, second) = (await OfAsync(daemon, http), await OfAsync(daemon, http));
            return second with { Allocated = second.Allocated + (second.Allocated - first.Allocated) };
        }

        public Cost Since(Cost before) => new(Calls - before.Calls, Bytes - before.Bytes, Allocated - before.Allocated);

        public Cost Each(int count) => new(Calls / count, Bytes / count, Allocated / count);

        /// <summary>
        /// The least of some measurements: the daemon writes its whole state after as many bytes of the journal, so that it costs each
        /// service the same, but it falls into one of them.
        /// </summary>
        public static async Task<Cost> LeastAsync(Func<int, Task<Cost>> measure)
        {
            var least = await measure(0);
            for (var i = 1; i < Measurements; i++)
            {
                var next = await measure(i * Some);
                least = new Cost(
                    Math.Min(least.Calls, next.Calls), Math.Min(least.Bytes, next.Bytes), Math.Min(least.Allocated, next.Allocated));
            }

            return least;
        }
    }
}
