using Supervisor.Control;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>
/// A daemon with a delegated cgroup gives each worker its own, so every process that a worker forks stays assigned to it.
/// </summary>
public sealed class CgroupTests(ITestOutputHelper output)
{
    /// <summary>Creates a cgroup below its own, delegates it like systemd's Delegate=, enters it, and executes its arguments.</summary>
    internal const string Delegate =
        """
        import os, sys
        own = next(l[3:].strip() for l in open('/proc/self/cgroup') if l.startswith('0::'))
        mount = next(l.split()[4] for l in open('/proc/self/mountinfo') if ' - cgroup2 ' in l)
        path = mount + own.rstrip('/') + '/listend-test-' + str(os.getpid())
        try:
            os.mkdir(path)
            os.setxattr(path, 'user.delegate', b'1')
            open(path + '/cgroup.procs', 'w').write('0')
            open(sys.argv[1], 'w').write(path)
        except OSError as refusal:
            open(sys.argv[1], 'w').write('none: ' + str(refusal))
        os.execv(sys.argv[2], sys.argv[2:])
        """;

    [Fact]
    public async Task No_process_escapes_a_workers_cgroup()
    {
        using var directory = new TemporaryDirectory();
        var script = directory.Write("delegate.py", Delegate);
        var escape = directory.WriteScript(
            "escape",
            $"""
            #!/bin/sh
            setsid -f env -i /bin/sh -c '
              echo $$ > {directory["escaped"]}.$$
              mv {directory["escaped"]}.$$ {directory["escaped"]}
              exec sleep 600'
            exec sleep 600
            """);
        await using var daemon = DaemonUnderTest.Start(
            directory,
            $"""
            [service.web]
            command = ["{escape}"]
            listeners = []
            ready = "started"
            """,
            new DaemonOptions { Wrapper = [Needs.Program("python3", "python3"), script, directory["cgroup"]] });
        await daemon.WaitUntilUpAsync();
        await daemon.WaitUntilReadyAsync("web");
        var own = await File.ReadAllTextAsync(directory["cgroup"]);
        var worker = Assert.Single((await daemon.StatusAsync("web")).Workers);
        if (own.StartsWith("none", StringComparison.Ordinal))
        {
            // Without a writable cgroup of version 2, workers have none, and the documents name none.
            output.WriteLine(own);
            Assert.Null(worker.Cgroup);
            await daemon.LeaveAsync();
            return;
        }

        try
        {
            Assert.Equal(Path.Combine(own, "worker-web-1"), worker.Cgroup);
            var escaped = await EscapedAsync(directory);
            Assert.Equal([worker.Pid!.Value, escaped], Members(worker).Order());
            Assert.True(worker.MemoryBytes > 0, $"{worker.MemoryBytes}");
            Assert.True(worker.CpuUsec >= 0, $"{worker.CpuUsec}");
            Assert.Contains(" MiB", (await daemon.ListenctlAsync("status")).Output, StringComparison.Ordinal);

            File.Delete(directory["escaped"]);
            Assert.Equal(0, (await daemon.ListenctlAsync("restart", "web", "--wait")).ExitCode);
            await Processes.EndedAsync(worker.Pid!.Value, escaped);

            // A successor uses the cgroups that it finds.
            Assert.Equal(0, (await daemon.ListenctlAsync("upgrade")).ExitCode);
            var next = Assert.Single((await daemon.StatusAsync("web")).Workers);
            escaped = await EscapedAsync(directory);
            Assert.Equal([next.Pid!.Value, escaped], Members(next).Order());
            Assert.NotEqual(worker.Cgroup, next.Cgroup);
            await daemon.LeaveAsync();
            await Processes.EndedAsync(next.Pid!.Value, escaped);
        }
        finally
        {
            foreach (var left in Directory.GetDirectories(own).Append(own))
            {
                Directory.Delete(left);
            }
        }
    }

    private static IEnumerable<int> Members(WorkerDocument worker) =>
        File.ReadAllLines(Path.Combine(worker.Cgroup!, "cgroup.procs")).Select(int.Parse);

    private static async Task<int> EscapedAsync(TemporaryDirectory directory) =>
        int.Parse(await directory.ReadWhenThereAsync("escaped"), System.Globalization.CultureInfo.InvariantCulture);
}
