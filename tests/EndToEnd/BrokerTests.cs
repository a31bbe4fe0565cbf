using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The broker of the published daemon, used by listenctl and by workers.</summary>
public sealed class BrokerTests
{
    [Fact]
    public Task Listenctl_takes_puts_and_drops_descriptors() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [listener.dns]
        address = "udp://127.0.0.1:0"
        """,
        async daemon =>
        {
            var listeners = await daemon.ListenersAsync();
            var taken = await daemon.ListenctlAsync(
                "take", "dns", "web", "--", "/bin/sh", "-c",
                "echo $LISTEN_FDS $LISTEN_FDNAMES; test $LISTEN_PID = $$ && echo own; "
                + "readlink /proc/$$/fd/3 /proc/$$/fd/4; ls /proc/$$/fd/5; exit 7");
            Assert.Equal(7, taken.ExitCode);
            Assert.Equal($"2 dns:web\nown\nsocket:[{listeners[1].Inode}]\nsocket:[{listeners[0].Inode}]", taken.Output);

            var einhorn = await daemon.ListenctlAsync(
                "take", "web", "--handoff", "einhorn", "--", "/bin/sh", "-c", "echo $EINHORN_FD_0 $EINHORN_FD_FAMILY_0 $LISTEN_FDS");
            Assert.Equal((0, "3 AF_INET"), (einhorn.ExitCode, einhorn.Output.Trim()));
            Assert.Contains(await daemon.HistoryAsync("web"), entry => entry is { Phase: "handoff", Call: "sendmsg", Actor.Pid: > 0 });

            // The shell opens a descriptor. After put it is a listener like any other.
            var put = await RunningProgram.RunAsync(
                "/bin/sh",
                ["-c", "exec \"$0\" --socket \"$1\" put legacy --fd 7 7</dev/zero", Published.Listenctl, daemon.ControlSocket]);
            Assert.True(put.ExitCode == 0, put.Error);
            var legacy = await daemon.ListenerAsync("legacy");
            Assert.Equal(("given", "other", "held", "/dev/zero"), (legacy.Origin, legacy.Kind, legacy.State, legacy.Effective));
            Assert.Equal(
                ("adopt", "recvmsg"),
                ((await daemon.HistoryAsync("legacy"))[0].Phase, (await daemon.HistoryAsync("legacy"))[0].Call));
            var read = await daemon.ListenctlAsync("take", "legacy", "--", "/bin/sh", "-c", "head -c 3 <&3 | wc -c");
            Assert.Equal("3", read.Output.Trim());
            Assert.Equal(0, (await daemon.ListenctlAsync("drop", "legacy")).ExitCode);
            Assert.DoesNotContain(await daemon.ListenersAsync(), listener => listener.Name == "legacy");

            Assert.Equal(1, (await daemon.ListenctlAsync("drop", "legacy")).ExitCode);
            Assert.Equal(1, (await daemon.ListenctlAsync("take", "nothing", "--", "true")).ExitCode);
            Assert.Equal(4, (await daemon.ListenctlAsync("drop", "web")).ExitCode);
            Assert.Equal(2, (await daemon.ListenctlAsync("take", "web")).ExitCode);
            Assert.Equal(2, (await daemon.ListenctlAsync("put", "a b", "--fd", "0")).ExitCode);
        });

    [Fact]
    public Task A_worker_of_another_user_takes_only_its_listeners() => DaemonUnderTest.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [listener.other]
        address = "tcp://127.0.0.1:0"

        [service.fetching]
        command = ["/usr/bin/python3", "@dir@/fetch.py"]
        listeners = ["web"]
        handoff = "scm-rights"
        user = "nobody"
        """,
        async daemon =>
        {
            Needs.Program("python3", "python3");
            await daemon.WaitUntilReadyAsync("fetching");
            var worker = Assert.Single((await daemon.StatusAsync("fetching")).Workers);
            Assert.Equal($"web {(await daemon.ListenerAsync("web")).Inode} denied", worker.StatusText);
            Assert.Contains(
                await daemon.HistoryAsync("web"),
                entry => entry is { Phase: "handoff", Call: "sendmsg" } && entry.Actor!.Pid == worker.Pid);
            Assert.DoesNotContain(await daemon.HistoryAsync("other"), entry => entry.Phase == "handoff");
        },
        prepare: directory => directory.Write("fetch.py",
            """
            import json, os, signal, socket

            def take(name):
                with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as broker:
                    broker.connect(os.environ['LISTEND_BROKER'])
                    broker.send(json.dumps({'method': 'take', 'listeners': [name]}).encode())
                    data, descriptors, _, _ = socket.recv_fds(broker, 65536, 253)
                    return json.loads(data), descriptors

            name = os.environ['LISTEND_LISTENERS']
            _, (listener,) = take(name)
            refused, none = take('other')
            assert not none and 'LISTEN_FDS' not in os.environ and os.getuid() != 0
            ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            ready.sendto(f"READY=1\nSTATUS={name} {os.fstat(listener).st_ino} {refused['error']['code']}".encode(), os.environ['NOTIFY_SOCKET'])
            signal.pause()
            """));
}
