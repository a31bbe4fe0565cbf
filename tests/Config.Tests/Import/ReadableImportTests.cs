namespace Supervisor.Config.Tests.Import;

/// <summary>What a reader sees of a translation: few comments, each said once.</summary>
public sealed class ReadableImportTests
{
    private const string Proxy = """
        [Unit]
        Description=A proxy
        Documentation=man:proxy(8)
        After=network-online.target nss-lookup.target firewall.service
        Wants=network-online.target

        [Service]
        Type=forking
        PIDFile=/run/proxy.pid
        ExecStartPre=/usr/sbin/proxy -t
        ExecStart=/usr/sbin/proxy
        ExecReload=/usr/sbin/proxy -s reload
        KillSignal=SIGQUIT
        TimeoutStopSec=5
        KillMode=mixed
        Restart=on-failure
        PrivateTmp=true
        ProtectSystem=full

        [Install]
        WantedBy=multi-user.target
        """;

    private const string Workers = """
        [supervisord]
        logfile=/var/log/supervisord.log
        [program:mail]
        command=mail-worker --queue=mail
        user=app
        numprocs=4
        stdout_logfile=/var/log/mail.log
        priority=10
        [program:report]
        command=report-worker
        stdout_logfile=NONE
        redirect_stderr=true
        """;

    private const string Watchers = """
        [circus]
        check_delay = 5
        endpoint = tcp://127.0.0.1:5555
        pubsub_endpoint = tcp://127.0.0.1:5556
        stats_endpoint = tcp://127.0.0.1:5557
        statsd = true
        httpd = true
        httpd_host = localhost
        httpd_port = 8080
        umask = 002
        warmup_delay = 1
        loglevel = info
        pidfile = /run/circus.pid

        [plugin:flapping]
        use = circus.plugins.flapping.Flapping
        retry_in = 3
        max_retry = 2

        [watcher:web]
        cmd = chaussette --fd $(circus.sockets.web) --backend gevent app.wsgi
        use_sockets = True
        numprocesses = 5
        warmup_delay = 0
        working_dir = /srv/app
        virtualenv = /srv/app/venv
        copy_env = True
        uid = www-data
        gid = www-data
        graceful_timeout = 60
        max_retry = 10
        priority = 1
        rlimit_nofile = 65536
        send_hup = true
        stop_signal = INT
        autostart = true
        singleton = false
        respawn = true
        stdout_stream.class = FileStream
        stdout_stream.filename = /var/log/web.log
        stdout_stream.refresh_time = 0.3
        stdout_stream.max_bytes = 1073741824
        stdout_stream.backup_count = 5
        stderr_stream.class = FileStream
        stderr_stream.filename = /var/log/web-err.log
        hooks.before_start = app.hooks.check
        hooks.after_start = app.hooks.announce

        [watcher:worker]
        cmd = celery -A app worker --loglevel=info -n worker$(circus.wid)
        numprocesses = 2
        working_dir = /srv/app
        virtualenv = /srv/app/venv
        copy_env = True
        uid = www-data
        graceful_timeout = 120
        max_age = 86400
        max_age_variance = 3600
        stop_children = true
        stdout_stream.class = StdoutStream
        stderr_stream.class = StdoutStream
        priority = 2

        [watcher:beat]
        cmd = celery -A app beat
        singleton = True
        working_dir = /srv/app
        virtualenv = /srv/app/venv
        copy_env = True
        uid = www-data
        autostart = false
        priority = 3

        [socket:web]
        host = 127.0.0.1
        port = 9000
        backlog = 2048
        so_reuseport = false

        [env:web]
        DJANGO_SETTINGS_MODULE = app.settings
        PATH = $PATH:/srv/app/bin

        [env:worker,beat]
        C_FORCE_ROOT = 1
        """;

    private const string Sandboxed = """
        [Unit]
        Description=Advanced key-value store
        After=network.target

        [Service]
        Type=notify
        ExecStart=/usr/bin/store /etc/store.conf --supervised systemd
        PIDFile=/run/store/store.pid
        TimeoutStopSec=0
        Restart=always
        User=store
        Group=store
        RuntimeDirectory=store
        RuntimeDirectoryMode=2755
        UMask=007
        LimitNOFILE=65535
        PrivateTmp=true
        PrivateDevices=true
        ProtectHome=true
        ProtectSystem=strict
        ReadWritePaths=-/var/lib/store
        ReadWritePaths=-/var/log/store
        CapabilityBoundingSet=
        LockPersonality=true
        MemoryDenyWriteExecute=true
        NoNewPrivileges=true
        PrivateUsers=true
        ProtectClock=true
        ProtectControlGroups=true
        ProtectHostname=true
        ProtectKernelLogs=true
        ProtectKernelModules=true
        ProtectKernelTunables=true
        ProtectProc=invisible
        RemoveIPC=true
        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
        RestrictNamespaces=true
        RestrictRealtime=true
        RestrictSUIDSGID=true
        SystemCallArchitectures=native
        SystemCallFilter=@system-service
        SystemCallFilter=~ @privileged @resources

        [Install]
        WantedBy=multi-user.target
        Alias=store-server.service
        """;

    [Theory]
    [InlineData("proxy.service", Proxy)]
    [InlineData("store.service", Sandboxed)]
    [InlineData("supervisord.conf", Workers)]
    [InlineData("circus.ini", Watchers)]
    public void Comments_are_less_than_a_third_of_the_lines(string name, string text)
    {
        var lines = Imported.Of(name, text).Result.Toml!.TrimEnd().Split('\n');
        var comments = lines.Count(line => line.StartsWith('#'));
        Assert.True(comments * 3 < lines.Length, $"{comments} of {lines.Length}");
    }

    [Fact]
    public void A_long_remark_is_written_once()
    {
        var toml = Imported.Of("supervisord.conf", Workers).Result.Toml!;
        Assert.Equal(2, toml.Split("make restarts safe").Length);
        Assert.Equal(3, toml.Split("# as supervisord").Length);
        Assert.Contains("log = \"file:/dev/null\"", toml, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_named_once_in_a_row()
    {
        var toml = Imported.Of("proxy.service", Proxy).Result.Toml!;
        Assert.StartsWith("# lost: proxy.service:4 After=firewall.service: ", toml, StringComparison.Ordinal);
        Assert.Contains("\n#   :8 Type=forking, :9 PIDFile=/run/proxy.pid: the program", toml, StringComparison.Ordinal);
        Assert.Contains("\n#   :17 PrivateTmp=true, :18 ProtectSystem=full: ", toml, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_does_not_end_between_the_number_and_the_name_of_a_setting() =>
        Assert.DoesNotMatch(":[0-9]+\n", Imported.Of("circus.ini", Watchers).Result.Toml!);

    [Fact]
    public void The_umask_of_Circus_is_that_of_its_watchers_and_socket_files()
    {
        var config = Imported.Of(
            "circus.ini",
            """
            [circus]
            umask = 027
            [watcher:w]
            cmd = /bin/w
            [socket:a]
            path = /run/a.sock
            [socket:b]
            path = /run/b.sock
            umask = 7
            """).Config;
        Assert.Equal(Convert.ToInt32("027", 8), Assert.Single(config.Services).Umask);
        Assert.Equal(
            ["0750", "0770"], config.Listeners.Select(listener => Convert.ToString(listener.Unix.Mode!.Value, 8).PadLeft(4, '0')));
        Assert.Contains(
            "umask=9: it is not an octal number",
            Imported.Of("circus.ini", "[circus]\numask=9\n[watcher:w]\ncmd=/bin/w\n").Result.Toml!, StringComparison.Ordinal);
    }

    [Fact]
    public void Order_of_given_services_is_kept()
    {
        var imported = Imported.Of(
            "app.service",
            """
            [Unit]
            After=db.service network.target cache.service other.service
            Requires=db.service
            [Service]
            ExecStart=/bin/app
            """,
            "cache.service",
            """
            [Unit]
            Before=app.service
            [Service]
            ExecStart=/bin/cache
            """,
            "db.service",
            """
            [Service]
            ExecStart=/bin/db
            """);
        Assert.Equal(
            ["db", "cache"], imported.Config.Services.Single(service => service.Name == "app").After.Select(name => name.ToString()));
        Assert.Equal(["After:2"], imported.Lost);
        Assert.Equal(["Requires:3"], imported.Changed);
        Assert.Contains("After=other.service: ", imported.Result.Toml, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("StandardOutput=syslog\nStandardError=journal", "/bin/app", "journal", null)]
    [InlineData("StandardOutput=null", "/bin/app", "file:/dev/null", null)]
    [InlineData("StandardOutput=null\nStandardError=journal", "/bin/app", null, "StandardOutput:3")]
    public void Targets_of_output_are_kept(string settings, string program, string? log, string? lost)
    {
        var imported = Imported.Of("a.service", $"[Service]\nExecStart={program}\n{settings}\n");
        Assert.Equal(lost is null ? [] : [lost], imported.Lost);
        var line = imported.Result.Toml!.Split('\n').FirstOrDefault(text => text.StartsWith("log = ", StringComparison.Ordinal));
        Assert.Equal(log is null ? null : $"log = \"{log}\"", line);
    }

    [Fact]
    public void A_name_that_no_variable_can_have_is_empty() => Assert.Equal(
        ["/bin/app", "", "${FOO:-x}", "pre$FOO", "v", "ay"],
        Imported.Of("a.service", "[Service]\nEnvironment=FOO=v\nExecStart=/bin/app ${FOO-bar} ${FOO:-x} pre$FOO $FOO a${}y\n")
            .Service.Command.Select(word => word.ToString()));

    [Fact]
    public void A_size_can_have_each_suffix_of_systemd()
    {
        var toml = Imported.Of("a.service", "[Service]\nExecStart=/bin/app\nLimitFSIZE=1P\nLimitAS=2E\nLimitDATA=4096B\n").Result.Toml!;
        Assert.Contains("limits.fsize = 1125899906842624\n", toml, StringComparison.Ordinal);
        Assert.Contains("limits.as = 2305843009213693952\n", toml, StringComparison.Ordinal);
        Assert.Contains("limits.data = 4096\n", toml, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("app.service", "[Service]\r\nExecStart=/bin/app\r\n")]
    [InlineData("app.conf", "[program:app]\r\ncommand=/bin/app\r\n")]
    [InlineData("app.ini", "[watcher:app]\r\ncmd = /bin/app\r\ncopy_env = True\r\n")]
    [InlineData("Procfile", "app: /bin/app\r\n")]
    [InlineData("app.json", "{\"apps\": [{\"name\": \"app\", \"script\": \"/bin/app\"}]}")]
    public void A_byte_order_mark_is_no_text(string name, string text)
    {
        var service = Imported.Of(name, "\uFEFF" + text).Service;
        Assert.Equal("app", service.Name);
        Assert.Equal("/bin/app", Assert.Single(service.Command));
    }

    [Theory]
    [InlineData("compose.yaml", "services:\n  web:\n    image: x\n", "a compose file")]
    [InlineData("masked.service", "", "the file is empty: systemd masks the unit")]
    [InlineData("ssh.service", "<service-group>\n<name>x</name>\n</service-group>\n", "it is not a file of systemd")]
    [InlineData("ecosystem.json", "{\"apps\": [{\"script\": \"serve\"}]}", "PM2 itself serves the folder")]
    public void What_cannot_be_translated_is_said(string name, string text, string message) =>
        Assert.Contains(message, Assert.Single(Imported.Translate(name, text).Errors).Message, StringComparison.Ordinal);

    [Fact]
    public void A_script_of_Node_without_an_ending_keeps_the_options_of_Node() => Assert.Equal(
        ["node", "-r", "dotenv/config", "/srv/node_modules/next/dist/bin/next"],
        Imported.Of("ecosystem.json", """
            {"apps": [{"name": "a", "cwd": "/srv", "script": "node_modules/next/dist/bin/next", "interpreter_args": "-r dotenv/config"}]}
            """).Service.Command.Select(word => word.ToString()));

    [Fact]
    public void Many_settings_with_one_reason_are_a_range_of_lines() => Assert.Contains(
        "\n#   :17-42 PrivateTmp, PrivateDevices, ProtectHome, ProtectSystem, ReadWritePaths, CapabilityBoundingSet and 17 more: no sandbox: ",
        Imported.Of("store.service", Sandboxed).Result.Toml, StringComparison.Ordinal);

    [Theory]
    [InlineData("LimitNOFILE=100\nLimitNOFILE=", "limits.nofile = 100")]
    [InlineData("WatchdogSec=3\nWatchdogSec=", "watchdog = \"3s\"")]
    [InlineData("StartLimitBurst=7\nStartLimitBurst=\nRestart=always", "restart.limit = 7")]
    [InlineData("Nice=3\nNice=", null)]
    [InlineData("UMask=0077\nUMask=", "umask = \"0077\"")]
    public void An_empty_value_resets_only_what_systemd_resets(string settings, string? line)
    {
        var toml = Imported.Of("a.service", $"[Service]\nExecStart=/bin/app\n{settings}\n").Result.Toml!;
        Assert.Equal(line is not null, toml.Split('\n').Contains(line));
        Assert.DoesNotContain("nice", toml, StringComparison.Ordinal);
    }

    [Fact]
    public void A_setting_in_a_section_that_does_not_have_it_is_not_lost()
    {
        var imported = Imported.Of(
            "a.service", "[Unit]\nRestart=always\n[Service]\nExecStart=/bin/app\nStartLimitIntervalSec=0\nAfter=x.service\n");
        Assert.Empty(imported.Lost);
        Assert.Equal(["Restart:2", "StartLimitIntervalSec:5", "After:6"], imported.NotNeeded);
    }

    [Fact]
    public void A_value_stands_only_where_its_setting_is_named_first()
    {
        var toml = Imported.Of("a.service", "[Service]\nUser=app\nExecStart=@-/bin/app name $X $Y\n").Result.Toml!;
        Assert.Equal(2, toml.Split("=@-/bin/app name").Length);
        Assert.Contains(" a.service:3 ExecStart: ", toml, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run@.service", "[Service]\nExecStart=/bin/run %i --log /var/log/%i.log\nUser=%i\nRestart=always\nPrivateTmp=yes\n")]
    [InlineData("run.service", "[Service]\nExecStart=/bin/run 'open\nUser=a\nRestart=always\nPrivateTmp=yes\n")]
    [InlineData("run@.socket", "[Socket]\nListenStream=/run/%i.sock\nSocketMode=0600\nSocketUser=a\n")]
    public void Only_the_cause_is_said_and_the_file_is_named_once(string name, string text)
    {
        var path = "/usr/lib/systemd/system/" + name;
        var error = Assert.Single(Imported.Translate(path, text).Errors).ToString();
        Assert.Equal(2, error.Split(path).Length);
        Assert.InRange(error.Length, 0, 260);
    }

    public static TheoryData<string> LongWords() =>
    [
        new string('a', 500),
        string.Join(' ', Enumerable.Repeat("word", 100)),
        new string(' ', 400) + "end",
        string.Concat(Enumerable.Repeat("\"quoted\" \\ \u0007 \t x", 30)),
        string.Concat(Enumerable.Repeat("\U0001F600", 200)),
        " " + new string('b', 130) + new string(' ', 130),
    ];

    [Theory]
    [MemberData(nameof(LongWords))]
    public void A_long_word_has_several_lines_and_the_same_value(string word)
    {
        var imported = Imported.Of("ecosystem.json", System.Text.Json.JsonSerializer.Serialize(new
        {
            apps = new[] { new { name = "a", script = "/bin/a", args = new[] { "x", word, "{y}" }, env = new { LONG = word } } },
        }));
        Assert.Equal(["/bin/a", "x", word, "{y}"], imported.Service.Command.Select(one => one.ToString()));
    }
}
