using System.Globalization;
using Supervisor.EndToEnd;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>A published daemon, run by root, on which attacks are tried while an independent client measures its answers.</summary>
internal static class Battlefield
{
    /// <summary>
    /// Runs a test. In the configuration <c>@possessed@</c> is a worker that obeys an attacker (possessed-worker.c), with its
    /// folder as argument: <c>@orders@</c>, one that every user may write to.
    /// </summary>
    public static async Task WithAsync(
        string config,
        ITestOutputHelper output,
        Func<DaemonUnderTest, Attack, Task> test,
        DaemonOptions? options = null,
        Action<Attack>? prepare = null)
    {
        Attack? attack = null;
        await DaemonUnderTest.WithAsync(
            config.Replace("@possessed@", "@dir@/possessed-worker", StringComparison.Ordinal)
                .Replace("@orders@", "@dir@/orders", StringComparison.Ordinal),
            async daemon =>
            {
                await using var times = await AnswerTimes.StartAsync(daemon);
                await test(daemon, attack!);
                await times.AssertAsync(output);
            },
            options,
            directory =>
            {
                attack = new Attack(directory, output);
                attack.Copy("possessed-worker");
                Directory.CreateDirectory(directory["orders"]);
                File.SetUnixFileMode(directory["orders"], (UnixFileMode)0x1FF);
                prepare?.Invoke(attack);
            });
    }

    /// <summary>The broker's socket.</summary>
    public static string Broker(this DaemonUnderTest daemon) => Path.Combine(daemon.Runtime, "broker.sock");

    /// <summary>The daemon's process id as an argument.</summary>
    public static string PidText(this DaemonUnderTest daemon) => daemon.Pid.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Waits until so many workers of a service are ready, and asks again at each of the daemon's events. Their process ids.
    /// </summary>
    public static async Task<IReadOnlyList<int>> ReadyWorkersAsync(this DaemonUnderTest daemon, string service, int count)
    {
        await using var events = RunningProgram.Start(
            Published.Listenctl,
            ["--socket", daemon.ControlSocket, "--json", "events", "--follow"]);
        var start = System.Environment.TickCount64;
        for (var seen = 0; ;)
        {
            Assert.True(
                System.Environment.TickCount64 - start < Patience.Limit.TotalMilliseconds,
                $"{count} workers of {service} are not ready within {Patience.Limit.TotalSeconds} s");
            var status = await daemon.StatusAsync(service);
            if (status.Ready >= count)
            {
                return [.. status.Workers.Where(worker => worker.State == "ready").OrderBy(worker => worker.Slot)
                    .Select(worker => worker.Pid!.Value)];
            }

            await events.Output.AnyAsync(seen);
            seen = events.Output.Count;
        }
    }

    /// <summary>A process's environment, "NAME=VALUE", as only root and its user may read it.</summary>
    public static IReadOnlyList<string> Environment(int pid) =>
        File.ReadAllText($"/proc/{pid}/environ").Split('\0', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A variable of a process's environment.</summary>
    public static string Variable(int pid, string name) =>
        Environment(pid).Single(one => one.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..];
}
