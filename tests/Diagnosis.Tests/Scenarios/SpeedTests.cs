using System.Diagnostics;

namespace Supervisor.Diagnosis.Tests.Scenarios;

/// <summary>10,000 listening sockets and 500 processes: explain beside <c>ss -ltnp</c>, in the same run.</summary>
public sealed class SpeedTests
{
    private const int Sockets = 10_000;
    private const int Children = 500;
    private const int Rounds = 15;
    private const int FirstPort = 10_000;

    [Fact]
    public void Explain_is_not_slower_than_ss() => Stage.Run(stage =>
    {
        Shell.Run($"prlimit --pid {Environment.ProcessId} --nofile={Sockets * 2}:{Sockets * 2}");
        for (var i = 0; i < Sockets; i++)
        {
            stage.Listener("127.0.0.1", FirstPort + i);
        }

        var crowd = stage.Start($"exec 5<&0; i=0; while [ $i -lt {Children} ]; do cat <&5 & i=$((i+1)); done; echo ready; wait");
        Assert.Equal("ready", crowd.StandardOutput.ReadLine());

        var asked = $"tcp://127.0.0.1:{FirstPort + (Sockets / 2)}";
        Explained.AsRoot(asked).Refused("EADDRINUSE", "same-address", retry: false);
        var (explain, ss) = (new List<double>(), new List<double>());
        for (var i = 0; i < Rounds; i++)
        {
            explain.Add(Milliseconds(Published.Listenctl, "explain", asked, "--json"));
            ss.Add(Milliseconds("ss", "-ltnp"));
        }

        explain.Sort();
        ss.Sort();
        Console.WriteLine(
            $"explain with {Sockets} sockets and {Children} processes: best {explain[0]:0.0} ms, median {explain[Rounds / 2]:0.0} ms; "
            + $"ss -ltnp: best {ss[0]:0.0} ms, median {ss[Rounds / 2]:0.0} ms");
        Assert.True(explain[0] < ss[0], $"explain {explain[0]:0.0} ms, ss {ss[0]:0.0} ms");
    });

    private static double Milliseconds(string program, params string[] arguments)
    {
        var start = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
