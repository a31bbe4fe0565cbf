using Supervisor.Core.Services;

namespace Supervisor.Config.Tests.Import;

public sealed class SystemdImportTests
{
    [Fact]
    public void Every_address_of_a_socket_unit_becomes_a_listener()
    {
        var imported = Imported.Of("web.socket", """
            [Socket]
            ListenStream=1
            ListenStream=
            ListenStream=80
            ListenStream=[::1]:8080
            ListenStream=[fe80::1]:81%eth0
            ListenStream=/run/%p.sock
            ListenStream=@abstract
            ListenStream=vsock::1234
            ListenSequentialPacket=/run/seq
            ListenDatagram=127.0.0.1:53
            """);
        Assert.Equal(
            ["tcp://*:80", "tcp://[::1]:8080", "tcp://[fe80::1%eth0]:81", "unix:///run/web.sock", "unix://@abstract",
             "vsock://*:1234", "unix-seqpacket:///run/seq", "udp://127.0.0.1:53"],
            imported.Config.Listeners.Select(l => l.Address.ToString()));
        Assert.Equal(["web", "web-2", "web-3", "web-4", "web-5", "web-6", "web-7", "web-8"], imported.Config.Listeners.Select(l => l.Name));
        Assert.Equal(0b110_110_110, imported.Config.Listeners[3].Unix.Mode);
        Assert.Empty(imported.Lost);
    }

    [Fact]
    public void The_options_of_a_socket_unit_are_imported()
    {
        var listener = Imported.Of("web.socket", """
            [Socket]
            ListenStream=127.0.0.1:80
            FileDescriptorName=front
            Backlog=4294967295
            ReusePort=yes
            FreeBind=1
            Transparent=true
            Mark=0x10
            BindToDevice=eth0
            KeepAlive=on
            KeepAliveTimeSec=1min 30s
            KeepAliveIntervalSec=10
            KeepAliveProbes=5
            NoDelay=yes
            DeferAcceptSec=3s
            ReceiveBuffer=1M
            SendBuffer=512K
            IPTTL=33
            IPTOS=low-delay
            TCPCongestion=cubic
            """).Listener;
        Assert.Equal("front", listener.Name);
        Assert.Equal(int.MaxValue, listener.Listen.Backlog);
        Assert.Equal(TimeSpan.FromSeconds(3), listener.Listen.DeferAccept);
        Assert.True(listener.Bind is { ReusePort: true, FreeBind: true, Transparent: true, Mark: 16, Device: "eth0" });
        Assert.True(listener.Buffers is { Receive: 1 << 20, Send: 1 << 19, Force: true });
        Assert.True(listener
            .Accepted is { KeepAlive: true, KeepAliveProbes: 5, NoDelay: true, TimeToLive: 33, TypeOfService: 16, Congestion: "cubic" });
        Assert.Equal(
            (TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(10)),
            (listener.Accepted.KeepAliveIdle!.Value, listener.Accepted.KeepAliveInterval!.Value));
    }

    [Fact]
    public void A_bare_port_with_ipv6_only_is_the_IPv6_wildcard()
    {
        var listener = Imported.Of("a.socket", "[Socket]\nListenStream=80\nBindIPv6Only=ipv6-only\n").Listener;
        Assert.Equal(("tcp://[::]:80", true), (listener.Address.ToString(), listener.Bind.IPv6Only));
    }

    [Fact]
    public void An_option_for_one_address_is_not_missing_at_another()
    {
        var imported = Imported.Of("a.socket", "[Socket]\nListenStream=80\nListenStream=/run/a\nNoDelay=1\nSocketMode=0600\n");
        Assert.True(imported.Config.Listeners[0].Accepted.NoDelay);
        Assert.Equal(0b110_000_000, imported.Config.Listeners[1].Unix.Mode);
        Assert.Empty(imported.Lost);
    }

    [Fact]
    public void A_service_lists_its_sockets_in_file_order()
    {
        var imported = Imported.Of(
            "b.socket", "[Socket]\nListenStream=2\nService=web.service\n",
            "web.socket", "[Socket]\nListenStream=1\n",
            "web.service", "[Service]\nExecStart=/bin/web\n");
        Assert.Equal(["b", "web"], imported.Service.Listeners.ToArray());
        Assert.Equal(
            (StartMode.OnDemand, ReadinessKind.Started, TimeSpan.FromSeconds(90)),
            (imported.Service.Start, imported.Service.Readiness.Kind, imported.Service.StopTimeout));
    }

    [Fact]
    public void The_settings_of_a_service_and_its_drop_in_are_imported()
    {
        var service = Imported.Of(
            "web.service", """
            [Unit]
            StartLimitBurst=3
            StartLimitIntervalSec=1min
            [Service]
            Type=notify
            ExecStartPre=/bin/web --check
            ExecStart=/bin/web "a b" \
                # a comment in between
                'c'\x41 $${x} %%
            Environment=PORT=80 "GREETING=hello world"
            User=www-data
            Restart=on-failure
            RestartSec=2min
            TimeoutStartSec=10
            TimeoutStopSec=500ms
            WatchdogSec=30s
            LimitNOFILE=64K
            LimitCORE=infinity
            UMask=027
            KillSignal=SIGQUIT
            AmbientCapabilities=CAP_NET_RAW CAP_NET_BIND_SERVICE
            StandardOutput=append:/var/log/web.log
            """,
            "web.service.d/x.conf", "[Service]\nUser=api\nNice=5\n").Service;
        Assert.Equal(["/bin/web", "a b", "cA", "${x}", "%"], service.Command.ToArray());
        Assert.Equal(["/bin/web", "--check"], service.Hooks.PreStart.ToArray());
        Assert.Equal(("api", 5, 0b010_111, 3), (service.User, service.Nice, service.Umask, service.StopSignal));
        Assert.Equal(
            (ReadinessKind.Notify, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(500)),
            (service.Readiness.Kind, service.StartTimeout, service.StopTimeout));
        Assert.Equal(
            new RestartSpec
            {
                Policy = RestartPolicy.OnFailure,
                Backoff = TimeSpan.FromMinutes(2),
                BackoffMax = TimeSpan.FromMinutes(2),
                Limit = 3,
                LimitInterval = TimeSpan.FromMinutes(1)
            },
            service.Restart);
        Assert.Equal(["GREETING=hello world", "PORT=80"], service.Environment.Select(e => $"{e.Key}={e.Value}"));
        Assert.Equal(["core=18446744073709551615", "nofile=65536"], service.Limits.Select(l => $"{l.Name}={l.Value}"));
        Assert.Equal(["CAP_NET_RAW", "CAP_NET_BIND_SERVICE"], service.Capabilities.ToArray());
        Assert.Equal(new LogTarget(LogTargetKind.File, "/var/log/web.log"), service.Log);
    }

    [Fact]
    public void A_command_with_variables_finally_executes_the_program()
    {
        var service = Imported.Of("a.service", "[Service]\nExecStart=/bin/a --port=${PORT} $OPTIONS \"it's\"\n").Service;
        Assert.Equal(["/bin/sh", "-c", "set -f; exec /bin/a --port=\"${PORT}\" ${OPTIONS} 'it'\\''s'"], service.Command.ToArray());
    }

    [Fact]
    public void An_instance_resolves_specifiers_and_a_template_has_a_remedy()
    {
        var service = Imported.Of("web@a-b.service", "[Service]\nExecStart=/bin/web %i %I %p %n %t\n").Service;
        Assert.Equal("web-a-b", service.Name);
        Assert.Equal(["/bin/web", "a-b", "a/b", "web", "web@a-b.service", "/run"], service.Command.ToArray());
        var template = Imported.Translate("web@.service", "[Service]\nExecStart=/bin/web %i\n");
        Assert.Contains("import web@INSTANCE.service", template.Differences[0].Reason, StringComparison.Ordinal);
        Assert.Single(template.Errors);
    }

    [Fact]
    public void A_setting_without_an_equivalent_is_named_with_its_line()
    {
        var imported = Imported.Of(
            "web.socket", "[Unit]\nAfter=x.target\n[Socket]\nListenStream=80\nListenUSBFunction=/run/f\nMaxConnections=3\nBogus=1\n"
                + "[Install]\nWantedBy=sockets.target\n",
            "web.service", "[Service]\nExecStart=-/bin/web\nExecReload=/bin/kill -HUP $MAINPID\nMemoryMin=1G\nEnvironment=LISTEN_FDS=3 "
                + "A=b\nLimitNOFILE=1:2\n");
        Assert.Equal(["After:2", "ListenUSBFunction:5", "Bogus:7", "MemoryMin:4", "Environment:5"], imported.Lost);
        Assert.Equal(["ExecStart:2", "ExecReload:3"], imported.Changed);
        Assert.Equal(["MaxConnections:6", "WantedBy:9"], imported.NotNeeded);
        Assert.Equal("b", imported.Service.Environment["A"]);
    }

    [Fact]
    public void What_the_unit_unsets_is_not_written_and_not_expanded()
    {
        var imported = Imported.Of(
            "web.service", """
            [Service]
            ExecStart=/bin/web ${GONE} ${KEPT}
            Environment=GONE=1 KEPT=2 OTHER=3 SAME=%p
            UnsetEnvironment=GONE KEPT=1 SAME=web
            """);
        Assert.Equal(["KEPT=2", "OTHER=3"], imported.Service.Environment.Select(pair => $"{pair.Key}={pair.Value}").Order());
        Assert.Equal(["/bin/sh", "-c", "exec /bin/web \"${GONE}\" 2"], imported.Service.Command.ToArray());
        Assert.Equal(["UnsetEnvironment:4"], imported.Lost);
    }

    [Theory]
    [InlineData("Nice=5", "SystemCallFilter=@resources")]
    [InlineData("Nice=-5", "SystemCallFilter=@resources CapabilityBoundingSet=CAP_SYS_NICE")]
    [InlineData("AmbientCapabilities=CAP_NET_RAW CAP_SYS_TIME", "CapabilityBoundingSet=CAP_SYS_TIME")]
    [InlineData("LimitMEMLOCK=64M", "CapabilityBoundingSet=CAP_SYS_RESOURCE")]
    [InlineData("NoNewPrivileges=no", "NoNewPrivileges=no")]
    [InlineData("WorkingDirectory=/home/web", "ProtectHome=no")]
    [InlineData("AmbientCapabilities=CAP_NET_RAW", null)]
    [InlineData("WorkingDirectory=/homes", null)]
    [InlineData("NoNewPrivileges=yes", null)]
    public void What_the_packaged_unit_withholds_is_named_with_its_drop_in(string setting, string? dropIn)
    {
        var imported = Imported.Of("web.service", $"[Service]\nExecStart=/bin/web\n{setting}\n");
        const string edit = "the packaged unit of listend withholds it: \"systemctl edit listend\", [Service] ";
        var found = imported.Result.Differences.Where(d => d.Reason.StartsWith(edit, StringComparison.Ordinal));
        Assert.Equal(dropIn is null ? [] : [dropIn], found.Select(d => d.Reason[edit.Length..]));
    }

    [Theory]
    [InlineData("LimitNOFILE=1K:infinity", "1024:infinity")]
    [InlineData("LimitNOFILE=4096:4096", "4096")]
    [InlineData("LimitMEMLOCK=64M", "67108864:67108864")]
    [InlineData("User=a", "1024:524288")]
    public void A_limit_keeps_its_soft_value(string setting, string spelled)
    {
        var limits = Imported.Of("web.service", $"[Service]\nExecStart=/bin/web\n{setting}\n").Service.Limits;
        Assert.Contains(spelled, limits.Select(limit => limit.Spelled()));
    }

    [Fact]
    public void A_variable_that_systemd_ignores_is_not_written()
    {
        var imported = Imported.Of(
            "web.service", """
            [Service]
            ExecStart=/bin/web ${1BAD}
            Environment=GOOD=a\tb 1BAD=x BAD-NAME=x
            Environment=CONTROL=a\x01
            """);
        Assert.Equal(["Environment:3"], imported.NotNeeded.Distinct());
        Assert.Equal(["CONTROL=a\x01", "GOOD=a\tb"], imported.Service.Environment.Select(pair => $"{pair.Key}={pair.Value}").Order());
    }

    [Fact]
    public void Units_with_a_process_for_each_connection_become_a_service_that_listend_accepts_for()
    {
        var imported = Imported.Of(
            "echo.socket", "[Socket]\nListenStream=7\nAccept=yes\nMaxConnections=20\nMaxConnectionsPerSource=3\nPollLimitBurst=9\n",
            "echo@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\nRestart=always\nWatchdogSec=5\n");
        var service = imported.Service;
        Assert.Equal(
            ("echo", StartMode.PerConnection, HandoffKind.Stdin, 20, 3),
            (service.Name, service.Start, service.Handoff, service.Connections.Max, service.Connections.MaxPerSource));
        Assert.Equal((9, TimeSpan.FromSeconds(2)), (service.Connections.RateLimit, service.Connections.RateInterval));
        Assert.Equal(["WatchdogSec:5"], imported.Lost);
    }
}
