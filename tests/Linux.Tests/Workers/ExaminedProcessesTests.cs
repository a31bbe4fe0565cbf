using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>What is known about the senders of messages.</summary>
public class ExaminedProcessesTests : KernelTest
{
    /// <summary>After that its id may be another process's.</summary>
    [Fact]
    public void A_result_counts_until_the_process_is_reaped()
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        var child = Child.Start(new()
        {
            Path = "/bin/true",
            Arguments = ["true"],
            Environment = Child.Environment,
            Descriptors = [nothing, nothing, nothing],
        });
        var examined = new ExaminedProcesses();
        examined.Add(child.Pid, Processes.OpenPidfd(child.Pid, out _), isOurs: false);
        examined.Add(child.Pid, Processes.OpenPidfd(child.Pid, out _), isOurs: true);
        Assert.True(examined.Find(child.Pid));
        Child.End(child);
        Assert.Null(examined.Find(child.Pid));
        examined.Clear();
    }
}
