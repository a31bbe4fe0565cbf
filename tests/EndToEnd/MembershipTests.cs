using System.Globalization;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>
/// A process belongs to a worker by kernel facts and by its token, not by other variables of its environment. Without cgroups.
/// </summary>
public sealed class MembershipTests
{
    /// <summary>
    /// Leaves the worker's session and parents, takes each named listener from the broker, and writes the answers. argv:
    /// the file for the answers, then NAME or NAME:TOKEN; TOKEN "own" is the environment's.
    /// </summary>
    private const string Ask =
        """
        import json, os, socket, sys
        if os.fork():
            os._exit(0)
        os.setsid()
        if os.fork():
            os._exit(0)
        while os.getppid() != int(open(os.environ['PIDFILE']).read()):
            pass
        answers = []
        for name, _, token in (one.partition(':') for one in sys.argv[2:]):
            request = {'method': 'take', 'listeners': [name]}
            if token:
                request['token'] = os.environ.get('LISTEND_TOKEN', '') if token == 'own' else token
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as broker:
                broker.connect(os.environ['LISTEND_BROKER'])
                broker.send(json.dumps(request).encode())
                data, descriptors, _, _ = socket.recv_fds(broker, 65536, 253)
                answer = json.loads(data)
                answers.append(answer['error']['code'] if 'error' in answer else str(len(descriptors)))
        open(sys.argv[1] + '.new', 'w').write(' '.join(answers))
        os.rename(sys.argv[1] + '.new', sys.argv[1])
        """;

    /// <summary>Leaves the worker's session and parents, and writes its pid. argv: the file for the pid.</summary>
    private const string Hide =
        """
        import os, sys, time
        if os.fork():
            os._exit(0)
        os.setsid()
        if os.fork():
            os._exit(0)
        open(sys.argv[1] + '.new', 'w').write(str(os.getpid()))
        os.rename(sys.argv[1] + '.new', sys.argv[1])
        time.sleep(1000)
        """;

    /// <summary>
    /// Becomes sleep of another user with a worker's environment. argv: the file with the environment, the uid, and an expression
    /// for the new token.
    /// </summary>
    private const string Disguise =
        """
        import os, sys
        env = dict(x.split('=', 1) for x in open(sys.argv[1]).read().split('\0') if x)
        token = env.get('LISTEND_TOKEN', '')
        env['LISTEND_TOKEN'] = eval(sys.argv[3])
        env['NOTIFY_SOCKET'] = '/nowhere'
        os.setuid(int(sys.argv[2]))
        print('up', flush=True)
        os.execve('/bin/sleep', ['sleep', '1000'], env)
        """;

    /// <summary>Finding 4: the environment decides nothing.</summary>
    [Theory]
    [InlineData("daemon")]
    [InlineData("nobody")]
    public async Task A_forged_environment_does_not_give_a_listener(string other)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("ask.py", Ask);
        directory.WriteScript(
            "thief",
            $"""
            #!/bin/sh
            export PIDFILE={directory["daemon.pid"]}
            # The environment of b's worker, except for the token, which only that worker knows.
            for id in 1 2; do
              NOTIFY_SOCKET={directory["run"]}/notify/b.$id.sock LISTEND_SERVICE=b \
                /usr/bin/python3 {directory["ask.py"]} {directory["answers"]}.$id b-web b-web:own b-web:$(printf '%064d' 0) a-web a-web:own
            done
            exec sleep 1000
            """);
        File.SetUnixFileMode(directory.Path, (UnixFileMode)0x3FF);
        await using var daemon = DaemonUnderTest.Start(
            directory,
            $"""
            [listener.a-web]
            address = "tcp://127.0.0.1:0"
            [listener.b-web]
            address = "tcp://127.0.0.1:0"
            [service.b]
            command = ["/bin/sleep", "1000"]
            listeners = ["b-web"]
            ready = "started"
            user = "{other}"
            [service.a]
            command = ["{directory["thief"]}"]
            listeners = ["a-web"]
            ready = "started"
            user = "nobody"
            """,
            new DaemonOptions());
        directory.Write("daemon.pid", daemon.Pid.ToString(CultureInfo.InvariantCulture));
        for (var id = 1; id <= 2; id++)
        {
            // The process gets its listener only by its token, its last tie to its worker.
            Assert.Equal("denied denied denied denied 1", await directory.ReadWhenThereAsync($"answers.{id}"));
        }

        await daemon.LeaveAsync();
    }

    /// <summary>Finding 9: the stop of a service kills a process also with a cleared environment or in its own session.</summary>
    [Fact]
    public async Task Stop_kills_hidden_processes_but_no_other_service()
    {
        using var directory = new TemporaryDirectory();
        var hide = directory.Write("hide.py", Hide);
        foreach (var name in (string[])["a", "b"])
        {
            directory.WriteScript(
                name,
                $"""
                #!/bin/sh
                env -i /usr/bin/python3 {hide} {directory[name]}.hidden
                /usr/bin/python3 {hide} {directory[name]}.known 3<&-
                exec sleep 1000
                """);
        }

        File.SetUnixFileMode(directory.Path, (UnixFileMode)0x3FF);
        await using var daemon = DaemonUnderTest.Start(
            directory,
            $"""
            [listener.web]
            address = "tcp://127.0.0.1:0"
            [service.a]
            command = ["{directory["a"]}"]
            listeners = ["web"]
            ready = "started"
            user = "nobody"
            [service.b]
            command = ["{directory["b"]}"]
            listeners = ["web"]
            ready = "started"
            user = "nobody"
            """,
            new DaemonOptions());
        int[] ofA = [await PidAsync(directory, "a.hidden"), await PidAsync(directory, "a.known")];
        int[] ofB = [await PidAsync(directory, "b.hidden"), await PidAsync(directory, "b.known")];

        // The token decides. A process without one may belong to b, which runs and is not younger.
        var stop = await daemon.ListenctlAsync("stop", "a", "--wait");
        Assert.True(stop.ExitCode == 0, stop.Error);
        Assert.False(Processes.IsAlive(ofA[1]));
        Assert.All(ofB, pid => Assert.True(Processes.IsAlive(pid)));

        // No worker of this user remains to which the process could belong.
        stop = await daemon.ListenctlAsync("stop", "b", "--wait");
        Assert.True(stop.ExitCode == 0, stop.Error);
        await Processes.EndedAsync([.. ofA, .. ofB]);
        var killed = await daemon.Log.WaitForAsync(
            0, MessageIds.OrphanKilled, "b", facts: [$"pid {ofB[0]} (python3)", "listener web", "Delegate=yes"]);
        Assert.Equal(ofB[0], killed.Number("Pid"));
        await daemon.LeaveAsync();
    }

    /// <summary>Finding 14: after a daemon's death only processes of a worker's user with a worker's token are killed.</summary>
    [Fact]
    public async Task Recovery_stops_no_process_of_another_user()
    {
        using var directory = new TemporaryDirectory();
        File.Copy("/bin/sleep", directory["suid-sleep"]);
        File.SetUnixFileMode(directory["suid-sleep"], (UnixFileMode)0x9ED);
        directory.WriteScript(
            "worker",
            $$"""
            #!/bin/sh
            NOTIFY_SOCKET=/nowhere LISTEND_TOKEN="${LISTEND_TOKEN%????????????????}0000000000000000" \
              setsid {{directory["suid-sleep"]}} 1000 &
            echo $! > {{directory["suid.pid.new"]}}
            mv {{directory["suid.pid.new"]}} {{directory["suid.pid"]}}
            exec sleep 1000
            """);
        File.SetUnixFileMode(directory.Path, (UnixFileMode)0x3FF);
        await using var daemon = DaemonUnderTest.Start(
            directory,
            $"""
            [service.a]
            command = ["{directory["worker"]}"]
            listeners = []
            ready = "started"
            user = "nobody"
            no_new_privileges = false
            """,
            new DaemonOptions());
        await daemon.WaitUntilUpAsync();
        await daemon.WaitUntilReadyAsync("a");
        var privileged = await PidAsync(directory, "suid.pid");
        var worker = Assert.Single(await daemon.ReadyAsync("a"));
        var environment = (await File.ReadAllBytesAsync($"/proc/{worker}/environ"));
        await File.WriteAllBytesAsync(directory["environ"], environment);

        // The worker's environment as another user; as its own user with an unknown token; then with that of an unknown worker.
        var other = Wear(directory, 1, "token[:32] + '0' * 32");
        var forged = Wear(directory, 65534, "'0' * 64");
        var left = Wear(directory, 65534, "token[:32] + '0' * 32");
        try
        {
            daemon.Signal(Signals.Kill);
            await daemon.WaitAsync();
            await using var next = daemon.Again();
            await next.WaitUntilUpAsync();

            Assert.Equal(left.Id, (await next.Log.WaitForAsync(0, MessageIds.OrphanStopped, facts: "sleep")).Number("Pid"));
            await left.WaitForExitAsync();
            Assert.True(Processes.IsAlive(worker));
            Assert.True(Processes.IsAlive(privileged));
            Assert.All((int[])[other.Id, forged.Id], pid => Assert.True(Processes.IsAlive(pid)));
            Assert.Single(next.Log.Messages, message => message.Kind == MessageIds.OrphanStopped);
            RunningProgram.Kill(privileged, Signals.Kill);
            await Processes.EndedAsync(privileged);
            await EndAsync(other, forged, left);
            await next.LeaveAsync();
        }
        finally
        {
            await EndAsync(other, forged, left);
        }
    }

    /// <summary>Starts a process of a user with the worker's environment. The test kills it.</summary>
    private static System.Diagnostics.Process Wear(TemporaryDirectory directory, int uid, string token)
    {
        var start = new System.Diagnostics.ProcessStartInfo(
            Needs.Program("python3", "python3"),
            ["-c", Disguise, directory["environ"], uid.ToString(CultureInfo.InvariantCulture), token])
        {
            RedirectStandardOutput = true,
        };
        var process = System.Diagnostics.Process.Start(start)!;
        Assert.Equal("up", process.StandardOutput.ReadLine());
        return process;
    }

    private static async Task EndAsync(params System.Diagnostics.Process[] processes)
    {
        foreach (var one in processes)
        {
            one.Kill();
            await one.WaitForExitAsync();
        }
    }

    private static async Task<int> PidAsync(TemporaryDirectory directory, string name) =>
        int.Parse(await directory.ReadWhenThereAsync(name), CultureInfo.InvariantCulture);
}
