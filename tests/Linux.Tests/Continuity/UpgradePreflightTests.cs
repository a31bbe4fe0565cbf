using System.Globalization;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Continuity;

/// <summary>Programs that the daemon runs while the reaper of orphans watches all of its children.</summary>
public class UpgradePreflightTests : KernelTest
{
    [Fact]
    public async Task A_program_that_leaves_a_process_behind_is_seen_to_end()
    {
        using var loop = new LoopUnderTest();
        using var orphans = loop.On(() => new OrphanReaper(loop.Loop));
        try
        {
            for (var i = 0; i < 10; i++)
            {
                var ended = new TaskCompletionSource<TrialResult>(TaskCreationOptions.RunContinuationsAsynchronously);
                loop.On(() => UpgradePreflight.Run(
                    loop.Loop, orphans, "/bin/sh", ["sh", "-c", "sleep 1000 < /dev/null > /dev/null 2>&1 & echo $!"],
                    ["PATH=/bin:/usr/bin"], [], Patience, ended.SetResult, leavesProcesses: true));
                var result = await ended.Task.WaitAsync(Patience);
                Assert.Null(result.Failure);

                var left = int.Parse(result.Output, CultureInfo.InvariantCulture);
                using (var process = Processes.OpenPidfd(left, out _))
                {
                    Assert.NotNull(process);
                    Assert.Null(Processes.Signal(process, 9));
                }

                loop.Until(() => !Directory.Exists($"/proc/{left}"));
            }
        }
        finally
        {
            Libc.EndSubreaper();
        }
    }
}
