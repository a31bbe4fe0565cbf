using System.Globalization;
using System.Net.Sockets;
using Supervisor.Load;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>A daemon that is succeeded while clients load its service.</summary>
public abstract class SuccessionScenario(ITestOutputHelper output)
{
    private const int Seqpacket = 5;

    /// <summary>Two workers on one listener, and a listener without a service.</summary>
    protected const string Config =
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [listener.lone]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@hello@"]
        listeners = ["web"]
        workers = 2
        """;

    /// <summary>Runs a test under load; the test returns the daemon that serves in the end. No request may fail.</summary>
    private protected async Task UnderLoadAsync(Func<DaemonUnderTest, Before, Task<DaemonUnderTest>> test, string more = "")
    {
        using var directory = new TemporaryDirectory();
        var daemon = DaemonUnderTest.Start(directory, Config + "\n" + more, new DaemonOptions());
        try
        {
            await daemon.WaitUntilUpAsync();
            await daemon.WaitUntilReadyAsync("web", 2);
            var before = new Before(
                [.. (await daemon.StatusAsync("web")).Workers.Select(worker => worker.Pid!.Value)],
                (await daemon.ListenerAsync("web")).Inode!.Value,
                (await daemon.ListenerAsync("lone")).Inode!.Value);
            var plan = new LoadPlan { Target = await daemon.EndPointAsync("web"), NewConnectionsPerSecond = 500, SlowInFlight = 8 };
            var load = LoadRun.Start(plan, "succession");
            LoadReport report;
            try
            {
                daemon = await test(daemon, before);
            }
            finally
            {
                report = await load.StopAsync();
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Requests} requests, {report.Failed} failed"));
            Assert.True(report.Failed == 0, string.Join('\n', report.Samples.Take(10)));
            Assert.Equal(report.Requests, report.Succeeded);
            await daemon.LeaveAsync();
        }
        catch (Exception exception)
        {
            throw new Xunit.Sdk.XunitException(
                $"{exception.Message}\n{exception.StackTrace}\nThe daemon's last lines:\n{daemon.Log.Tail(60)}");
        }
        finally
        {
            await daemon.DisposeAsync();
        }
    }

    /// <summary>Starts a successor, which takes over; the previous daemon has exited when this returns.</summary>
    private protected static async Task<DaemonUnderTest> SucceedAsync(DaemonUnderTest daemon)
    {
        var next = daemon.Again();
        try
        {
            Assert.Equal(0, await daemon.WaitAsync());
            await next.WaitUntilUpAsync();
            return next;
        }
        catch (Exception exception)
        {
            throw new Xunit.Sdk.XunitException($"{exception.Message}\nThe successor's last lines:\n{next.Log.Tail(20)}");
        }
    }

    private protected static async Task<Socket> BrokerAsync(DaemonUnderTest daemon)
    {
        var socket = new Socket(AddressFamily.Unix, (SocketType)Seqpacket, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(daemon.Runtime, "broker.sock")));
        return socket;
    }

    /// <summary>What has to stay: the workers' process ids, and the inodes of the listeners web and lone.</summary>
    protected sealed record Before(IReadOnlyList<int> Workers, ulong Inode, ulong Lone);
}
