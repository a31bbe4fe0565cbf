using System.Net;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests.Import;

public sealed class OtherImportTests
{
    [Fact]
    public void A_supervisord_program_is_imported()
    {
        var imported = Imported.Of("supervisord.conf", """
            [supervisord]
            logfile=/tmp/s.log ; the log
            environment=GLOBAL="yes"
            [program:cat]
            command=/bin/cat --dir %(here)s "a b" 100%%
            process_name=%(program_name)s_%(process_num)02d
            numprocs=2
            autorestart=true
            startsecs=3
            stopsignal=QUIT
            stopwaitsecs=10
            user=chris
            redirect_stderr=true
            stdout_logfile=/var/log/%(program_name)s
            environment=A="1",
               B="2,3"
            priority=3
            """);
        var service = imported.Service;
        Assert.Equal(["/bin/cat", "--dir", "/etc", "a b", "100%"], service.Command.ToArray());
        Assert.Equal(
            (2, 3, RestartPolicy.Always, ReadinessKind.Started),
            (service.Workers, service.StopSignal, service.Restart.Policy, service.Readiness.Kind));
        Assert.Equal((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10)), (service.Rollout.Settle, service.StopTimeout));
        Assert.Equal(["A=1", "B=2,3", "GLOBAL=yes"], service.Environment.Select(e => $"{e.Key}={e.Value}"));
        Assert.Equal("/var/log/cat", service.Log.Path);
        Assert.Equal(["logfile:2", "user:12", "priority:17"], imported.Changed);
    }

    [Fact]
    public void Different_processes_become_separate_services()
    {
        var services = Imported.Of("s.conf", "[program:t]\ncommand=/bin/t --port=80%(process_num)02d %(ENV_HOME)s \'%(ENV_HOME)s/a\'\n"
            + "process_name=%(program_name)s-%(process_num)d\nnumprocs=2\nnumprocs_start=7\n").Config.Services;
        Assert.Equal(["t-7", "t-8"], services.Select(s => s.Name));
        Assert.Equal(["/bin/sh", "-c", "set -f; exec /bin/t --port=8008 ${HOME} \"${HOME}\"/a"], services[1].Command.ToArray());
    }

    [Fact]
    public void A_fcgi_program_has_its_listener_as_descriptor_0()
    {
        var imported = Imported.Of("s.conf", """
            [fcgi-program:php]
            command=/usr/bin/php-cgi
            socket=unix:///run/%(program_name)s.sock
            socket_owner=www-data:web
            socket_mode=0770
            socket_backlog=512
            numprocs=4
            [fcgi-program:other]
            command=/usr/bin/other
            socket=tcp://localhost:9002
            [group:g]
            programs=php,other
            """);
        var listener = imported.Config.Listeners[0];
        Assert.Equal(
            ("unix:///run/php.sock", 512, 0b111_111_000, "www-data", "web"),
            (listener.Address.ToString(), listener.Listen.Backlog, listener.Unix.Mode!.Value, listener.Unix.User, listener.Unix.Group));
        Assert.Equal(IPAddress.Loopback, imported.Config.Listeners[1].Address.Host);
        Assert.All(imported.Config.Services, s => Assert.Equal(HandoffKind.Stdin, s.Handoff));
        Assert.Equal(4, imported.Config.Services[0].Workers);
        Assert.Equal([":11"], imported.Changed);
    }

    [Fact]
    public void A_circus_watcher_is_imported()
    {
        var imported = Imported.Of("circus.ini", """
            [circus]
            check_delay = 5
            [watcher:web]
            cmd = chaussette --fd $(circus.sockets.web) --root $(circus.env.root)
            args = --id ((circus.wid)) ; a comment
            use_sockets = True
            numprocesses = 5
            copy_env = True
            stop_signal = 2
            graceful_timeout = 15
            uid = www-data
            rlimit_nofile = 500
            stdout_stream.class = FileStream
            stdout_stream.filename = /var/log/web.log
            respawn = false
            max_retry = 5
            [env]
            root = /srv/web
            [env:w*,x]
            MODE = prod
            [env:other]
            A = b
            [socket:api]
            path = /run/api.sock
            umask = 7
            replace = true
            [socket:web]
            host = localhost
            port = 9999
            backlog = 128
            """);
        Assert.Equal(["unix:///run/api.sock", "tcp://127.0.0.1:9999"], imported.Config.Listeners.Select(l => l.Address.ToString()));
        Assert.Equal((0b111_111_000, true), (imported.Config.Listeners[0].Unix.Mode!.Value, imported.Config.Listeners[0].Unix.RemoveStale));
        var service = imported.Service;
        Assert.Equal(["web"], service.Listeners.ToArray());
        Assert.Equal(
            ["/bin/sh", "-c", "exec chaussette --fd 3 --root /srv/web --id \"$((LISTEND_WORKER + 1))\""],
            service.Command.ToArray());
        Assert.Equal((5, 2, "www-data", RestartPolicy.Never), (service.Workers, service.StopSignal, service.User, service.Restart.Policy));
        Assert.Equal(["MODE=prod", "root=/srv/web"], service.Environment.Select(e => $"{e.Key}={e.Value}"));
        Assert.Equal([":21"], imported.Lost);
        Assert.Equal(["check_delay:2"], imported.NotNeeded);
        Assert.Equal(["max_retry:16"], imported.Changed);
    }

    /// <summary>The commands that Circus would execute, and the environment it would execute them with.</summary>
    [Theory]
    [InlineData("cmd = /bin/a b", "/usr/bin/env|-i|/bin/a|b")]
    [InlineData("cmd = a\n[env]\nhttp_proxy = x", "/usr/bin/env|-i|http_proxy=x|a")]
    [InlineData("cmd = a\n[env]\nPATH = $PATH:/x", "/bin/sh|-c|exec /usr/bin/env -i PATH=\"${PATH}\":/x a")]
    [InlineData("cmd = a\ncopy_env = True\n[env]\nPATH = $PATH:/x", "/bin/sh|-c|exec /usr/bin/env PATH=\"${PATH}\":/x a")]
    [InlineData("cmd = a\n[env]\nA = 1\nB = ${A}2", "/usr/bin/env|-i|A=1|B=12|a")]
    [InlineData("cmd = a $(circus.sockets.none) \"$(hostname)\"", "/usr/bin/env|-i|a|$(circus.sockets.none)|$(hostname)")]
    [InlineData("cmd = a $(circus.env.mixedcase)\n[env]\nMixedCase = x", "/usr/bin/env|-i|MixedCase=x|a|x")]
    [InlineData("cmd = a\ncmd = b\nargs = c", "/usr/bin/env|-i|a|c")]
    [InlineData("cmd = a\n[watcher:w]\nargs = c", "/usr/bin/env|-i|a|c")]
    [InlineData("cmd = a $HOME\nargs = b;c d\nshell = True", "/usr/bin/env|-i|/bin/sh|-c|a $HOME 'b;c' d")]
    [InlineData(
        "cmd = a $(circus.wid)\nshell = True",
        "/bin/sh|-c|exec /usr/bin/env -i LISTEND_WORKER=\"${LISTEND_WORKER}\" /bin/sh -c 'a $((LISTEND_WORKER + 1))'")]
    public void A_circus_command_has_the_arguments_and_the_environment_of_Circus(string watcher, string command)
    {
        var service = Imported.Of("circus.ini", "[watcher:w]\n" + watcher).Service;
        Assert.Equal(command, string.Join('|', service.Command));
    }

    [Fact]
    public void A_circus_section_that_is_written_twice_is_one_section()
    {
        var imported = Imported.Of("circus.ini", "[watcher:w]\ncmd = a\nnumprocesses = 2\n[watcher:w]\nuid = nobody\nnumprocesses = 3\n");
        Assert.Equal(("nobody", 2), (imported.Service.User, imported.Service.Workers));
        Assert.Equal(["numprocesses:6"], imported.NotNeeded);
    }

    [Theory]
    [InlineData(
        "[watcher: w ]\ncmd = a $(circus.sockets.s) $(circus.env.x)\nuse_sockets = 1\n"
        + "[env: w ]\nX = 50%%\n[socket: s]\nhost = ::1\nport = 1\n")]
    [InlineData(
        "[ watcher:w ]\ncmd = a $(circus.sockets.s) $(circus.env.x)\nuse_sockets = 1\n"
        + "[ env : v, w]\nX = 50%%\n[ socket:s]\nhost = ::1\nport = 1\n")]
    public void Blanks_around_the_parts_of_a_circus_section_do_not_count(string text)
    {
        var imported = Imported.Of("circus.ini", text);
        Assert.Equal(("w", "s"), (imported.Service.Name, imported.Listener.Name));
        Assert.Equal(["/usr/bin/env", "-i", "X=50%", "a", "3", "50%"], imported.Service.Command.ToArray());
        Assert.Empty(imported.Lost);
    }

    [Theory]
    [InlineData("[program: p ]", "[group: g ]", "[supervisord]")]
    [InlineData("[ program:p ]", "[ group : g]", "[ supervisord ]")]
    public void Blanks_around_the_parts_of_a_supervisord_section_do_not_count(string program, string group, string daemon)
    {
        var text = $"{program}\ncommand=/bin/p %(group_name)s\n{group}\nprograms = p\n{daemon}\nenvironment=A=50%%\n";
        var imported = Imported.Of("p.conf", text);
        Assert.Equal("p", imported.Service.Name);
        Assert.Equal(["/bin/p", "g"], imported.Service.Command.ToArray());
        Assert.Equal(["A=50%"], imported.Service.Environment.Select(e => $"{e.Key}={e.Value}"));
        Assert.Empty(imported.Lost);
    }

    [Fact]
    public void A_supervisord_section_that_is_written_twice_is_one_section()
    {
        var imported = Imported.Of(
            "s.conf", "[program:p]\ncommand=/bin/p\numask=022\n[group:g]\nprograms=p\n[program:p]\ncommand=/bin/q\n");
        Assert.Equal("p", imported.Service.Name);
        Assert.Equal(["/bin/q"], imported.Service.Command.ToArray());
        Assert.Equal(["command:2"], imported.NotNeeded);
    }

    [Fact]
    public void A_circus_socket_has_its_references_expanded()
    {
        var listener = Imported.Of("circus.ini", "[env]\nDir = /run/x\n[socket:s]\npath = $(circus.env.dir)/s.sock\n").Listener;
        Assert.Equal("unix:///run/x/s.sock", listener.Address.ToString());
    }

    [Fact]
    public void A_supervisord_program_runs_once_in_each_group()
    {
        var services = Imported.Of(
            "s.conf", "[program: p]\ncommand=/bin/p %(group_name)s\n[group:a]\nprograms=p,q\n[group:b]\nprograms = q, p\n").Config.Services;
        Assert.Equal(["a-p /bin/p a", "b-p /bin/p b"], services.Select(s => $"{s.Name} {string.Join(' ', s.Command)}"));
    }

    [Fact]
    public void A_supervisord_program_in_one_group_has_its_name()
    {
        var service = Imported.Of("s.conf", "[program:p]\ncommand=/bin/p %(group_name)s\n[group:a]\nprograms=p\n").Service;
        Assert.Equal(("p", "a"), (service.Name, service.Command[1]));
    }

    [Fact]
    public void A_supervisord_program_has_the_defaults_of_supervisord()
    {
        var service = Imported.Of("s.conf", "[program:p]\ncommand=/bin/p\n").Service;
        Assert.Equal((TimeSpan.FromSeconds(10), RolloutStrategy.StopFirst), (service.StopTimeout, service.Rollout.Strategy));
    }

    [Theory]
    [InlineData("%(ENV_N)s", 1, "Changed")]
    [InlineData("1001", 0, "Lost")]
    [InlineData("0", 0, "Lost")]
    public void A_number_of_processes_that_cannot_be_translated_is_named(string number, int services, string kind)
    {
        var result = Imported.Translate(
            "s.conf", $"[program:p]\ncommand=/bin/p\nnumprocs={number}\n[program:q]\ncommand=/bin/q\n");
        Assert.Equal(services + 1, Parsing.Good(result.Toml!).Services.Length);
        Assert.Contains(result.Differences, d => d.Setting == "numprocs" && d.Kind.ToString() == kind);
    }

    [Fact]
    public void A_watcher_without_processes_is_left_out()
    {
        var result = Imported.Translate(
            "circus.ini", "[watcher:p]\ncmd = /bin/p\nnumprocesses = 0\nuid = nobody\n[watcher:q]\ncmd = /bin/q\n");
        Assert.Equal("q", Assert.Single(Parsing.Good(result.Toml!).Services).Name);
        Assert.Contains(result.Differences, d => d.Setting == "numprocesses" && d.Kind.ToString() == "Lost");
        Assert.Contains(result.Differences, d => d.Setting == "uid" && d.Kind.ToString() == "Lost");
    }

    [Theory]
    [InlineData("socket=unix:///run/a.sock\nuser=www", "www")]
    [InlineData("socket=unix:///run/a.sock\nuser=www\nsocket_owner=other", "other")]
    [InlineData("socket=tcp://127.0.0.1:9000\nuser=www", null)]
    public void A_fcgi_socket_belongs_to_the_user_of_its_program(string settings, string? user)
    {
        Assert.Equal(user, Imported.Of("s.conf", "[fcgi-program:a]\ncommand=/bin/a\n" + settings).Listener.Unix.User);
    }

    [Fact]
    public void A_fcgi_program_is_not_written_without_its_socket()
    {
        var result = Imported.Translate("s.conf", "[fcgi-program:a]\ncommand=/bin/a\nsocket=\n");
        Assert.Null(result.Toml);
        Assert.Contains(":3 socket", Assert.Single(result.Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_name_is_reported_and_its_service_lists_the_gap()
    {
        var imported = Imported.Of("circus.ini", "[watcher:a]\ncmd = a\nuse_sockets = 1\n[socket:a]\nhost = db.example.org\nport = 1\n");
        Assert.Empty(imported.Config.Listeners);
        Assert.Empty(imported.Service.Listeners);
        Assert.Contains("host:5", imported.Lost);
        Assert.Contains("[listener.a] cannot be written", imported.Result.Toml, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_file_types_form_one_configuration()
    {
        var config = Imported.Of("web.service", "[Service]\nExecStart=/bin/a\n", "s.conf", "[program:web]\ncommand=/bin/b\n").Config;
        Assert.Equal(["web", "web-2"], config.Services.Select(s => s.Name));
    }

    [Theory]
    [InlineData("notes.txt", "hello\n", true, "unknown kind of file")]
    [InlineData("a.timer", "[Unit]\n[Timer]\nOnCalendar=daily\n", true, ".timer unit has no equivalent")]
    [InlineData("x.conf", "[Service]\nUser=a\n", true, "drop-in")]
    [InlineData("a.service", "[Service\nUser=a\n", false, "\"[Service\" is not a section")]
    [InlineData("a.socket", "[Socket]\nListenStream=%i\n", false, "no listener and no service")]
    [InlineData("a.container", "[Container]\nImage=x\n[Service]\nUser=a\n", true, "a quadlet")]
    [InlineData("a.service", "[Service]\nUser=a\n", false, "no listener and no service")]
    public void A_setting_that_cannot_be_translated_is_an_error(string name, string text, bool isUnknownKind, string message)
    {
        var result = Imported.Translate(name, text);
        Assert.Null(result.Toml);
        Assert.Equal(isUnknownKind, result.IsUnknownKind);
        Assert.Contains(message, Assert.Single(result.Errors).ToString(), StringComparison.Ordinal);
    }

    /// <summary>Each line of a unit is in the result: translated, or listed with its name.</summary>
    [Fact]
    public void Every_dropped_setting_is_reported()
    {
        string[] keys =
        [
            "ExecStop", "PIDFile", "RemainAfterExit", "RuntimeMaxSec", "SuccessExitStatus", "OOMPolicy", "RootDirectory", "ProtectHome",
            "CPUQuota", "Slice", "PassEnvironment",
            "TTYPath", "SyslogIdentifier", "LogLevelMax", "CapabilityBoundingSet", "SystemCallFilter", "StateDirectory",
            "CPUAffinity", "IOSchedulingClass", "PAMName", "Foo",
        ];
        var imported = Imported.Of("a.service", "[Service]\nExecStart=/bin/a\n" + string.Concat(keys.Select(k => $"{k}=value\n")));
        Assert.Equal(
            keys.Select((k, i) => (k, i + 3)),
            imported.Result.Differences.Where(d => d.Line > 0).OrderBy(d => d.Line).Select(d => (d.Setting!, d.Line)));
        Assert.All(imported.Result.Differences, d => Assert.NotEmpty(d.Reason));
    }
}
