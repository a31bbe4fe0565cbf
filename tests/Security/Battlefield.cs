using Supervisor.EndToEnd;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>A published daemon, run by root, on which attacks are tried while an independent client measures its answers.</summary>
internal static class Battlefield
{
    /// <summary>
    /// Runs a test. In the configuration <c>@possessed@</c> is a worker that obeys an attacker (possessed-worker.c), with its
    /// folder as argument: <c>@orders@</c>, one that every user may write to.
    /// </summary>
    public static async Task WithAsync(string config, ITestOutputHelper output, Func<DaemonUnderTest, Attack, Task> test, DaemonOptions? options = null, Action<Attack>? prepare = null)
    {
        Attack? attack = null;
        await DaemonUnderTest.WithAsync(
            config.Replace("@possessed@", "@dir@/possessed-worker", StringComparison.Ordinal).Replace("@orders@", "@dir@/orders", StringComparison.Ordinal),
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
}
