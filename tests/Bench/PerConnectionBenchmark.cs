using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Supervisor.Bench;

/// <summary>Measures services that start a process for each connection: <c>/bin/echo</c>, 500 connections open at the same time.</summary>
internal static class PerConnectionBenchmark
{
    private const int Connections = 1000;
    private const int AtOnce = 500;
    private static readonly string[] s_program = ["/bin/echo", "x"];

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        var rounds = Math.Max(1, scale.Rounds / 6);
        var ours = new List<long>();
        (string What, string Program, Func<string, string[]> Arguments)[] all =
        [
            ("C: accept, fork, exec", workspace.Yardstick("inetd"), port => [port]),
            ("tcpserver", "/usr/bin/tcpserver", port => ["-H", "-R", "-l", "0", "-c", "1000", "-b", "4096", "127.0.0.1", port]),
            ("systemd-socket-activate", "/usr/bin/systemd-socket-activate", port => ["-a", "--inetd", "-l", "127.0.0.1:" + port]),
        ];
        var others = all.Where(one => File.Exists(one.Program)).Select(one => (one, Times: new List<long>())).ToArray();
        for (var i = 0; i < rounds; i++)
        {
            var port = FreePort();
            using (var daemon = ListendProcess.WithConnections(workspace, port, s_program))
            {
                daemon.WaitUntilReady();
                ours.Add(Burst(workspace, port));
            }

            foreach (var (one, times) in others)
            {
                port = FreePort();
                string[] arguments = [.. one.Arguments(port), .. s_program];
                using var server = one.Program == workspace.Yardstick("inetd")
                    ? Yardstick.Start(one.Program, arguments)
                    : Yardstick.StartPeer(one.Program, arguments);
                WaitUntilListening(port);
                times.Add(Burst(workspace, port));
            }
        }

        return others.Select(other => Figure.Of(
            string.Create(CultureInfo.InvariantCulture, $"{Connections} connections, a process for each, {AtOnce} at once"),
            ours, other.Times, other.one.What));
    }

    private static long Burst(Workspace workspace, string port) => Yardstick.Numbers(
        workspace.Yardstick("burst"), port, $"{Connections}", $"{AtOnce}")[0];

    private static string FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture);
    }

    private static void WaitUntilListening(string port)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                using var client = new TcpClient("127.0.0.1", int.Parse(port, CultureInfo.InvariantCulture));
                return;
            }
            catch (SocketException) when (i < 500)
            {
                Thread.Sleep(10);
            }
        }
    }
}
