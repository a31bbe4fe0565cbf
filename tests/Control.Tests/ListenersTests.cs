using Xunit;

namespace Supervisor.Control.Tests;

public sealed class ListenersTests
{
    private const string Web = """
        {"name":"web","kind":"tcp","state":"listening","requested":"tcp://*:8080","effective":"tcp://[::]:8080","inode":918273,"fd":7,"shards":1,"backlog":{"requested":100000,"effective":4096},"queue":{"length":0,"limit":4096},"options":[{"name":"SO_REUSEADDR","level":"SOL_SOCKET","phase":"pre-bind","requested":1,"effective":1,"verdict":"exact","setting":"bind.reuse_address"},{"name":"SO_MARK","level":"SOL_SOCKET","phase":"pre-bind","requested":7,"effective":0,"verdict":"refused","setting":"bind.mark"},{"name":"SO_BINDTODEVICE","level":"SOL_SOCKET","phase":"pre-bind","requested":null,"effective":"","verdict":"inherited","setting":"bind.device"},{"name":"SO_RCVBUF","level":"SOL_SOCKET","phase":"pre-listen","requested":1048576,"effective":425984,"verdict":"adjusted","setting":"buffers.receive"}],"origin":"created","drift":false,"failure":null,"services":["api"],"later":true}
        """;

    private const string All = $$$"""
        [{{{Web}}},
        {"name":"admin","kind":"tcp","state":"failed","requested":"tcp://127.0.0.1:80","effective":null,"inode":null,"fd":null,"shards":1,"backlog":{"requested":4096,"effective":null},"queue":null,"options":[],"origin":"created","drift":false,"failure":{"address":"tcp://127.0.0.1:80","bindable":false,"errno":"EADDRINUSE","cause":"same-address","retry":false,"owners":[{"pid":812,"command":"nginx","unit":"nginx.service","uid":0,"address":"tcp://127.0.0.1:80","state":"LISTEN","inode":1234}],"advice":"stop nginx, or give this listener another port"},"services":["api"]},
        {"name":"billing","kind":"unix","state":"listening","requested":"unix:///run/b.sock","effective":"unix:///run/b.sock","inode":918290,"fd":8,"shards":1,"backlog":{"requested":4096,"effective":511},"queue":{"length":3,"limit":511},"options":[],"origin":"inherited-systemd","drift":true,"drifted":[{"name":"backlog","level":"","phase":"listen","requested":4096,"effective":511,"verdict":"drifted","setting":"listen.backlog"}],"failure":null,"services":[]},
        {"name":"dns","kind":"udp","state":"bound","requested":"udp://127.0.0.1:0","effective":"udp://127.0.0.1:41873","inode":918292,"fd":9,"shards":1,"backlog":null,"queue":null,"options":[],"origin":"created","drift":false,"failure":null,"services":["resolver"]}]
        """;

    [Fact]
    public void Text_output_has_one_line_per_listener_and_its_problems()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(All));
        var result = Listenctl.Run(daemon, "listeners");
        Assert.Equal(
            """
            NAME     STATE      ADDRESS                                              BACKLOG                                       QUEUE  ORIGIN             FD   INODE  SERVICES
            web      listening  tcp://[::]:8080 (requested tcp://*:8080)             4096 (requested 100000, net.core.somaxconn)  0/4096  created             7  918273  api
            admin    failed     tcp://127.0.0.1:80                                   4096                                              -  created             -       -  api
              EADDRINUSE same-address: stop nginx, or give this listener another port
              held by nginx (pid 812, nginx.service, uid 0) on tcp://127.0.0.1:80
            billing  listening  unix:///run/b.sock                                   511 (requested 4096)                          3/511  inherited-systemd   8  918290  none
              backlog drifted: 4096 -> 511, changed by a process that holds the shared socket
            dns      bound      udp://127.0.0.1:41873 (requested udp://127.0.0.1:0)  -                                                 -  created             9  918292  resolver

            """,
            result.Output);
        Assert.Equal(("", ExitCode.Done), (result.Error, result.ExitCode));
    }

    [Fact]
    public void Status_of_one_listener_shows_all_its_options()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(All));
        Assert.Equal(
            """
            web  listening  tcp://[::]:8080
              requested   tcp://*:8080
              effective   tcp://[::]:8080
              origin      created
              descriptor  fd 7, inode 918273
              backlog     4096 (requested 100000, net.core.somaxconn)
              queue       0 of 4096
              services    api

              OPTION           SETTING             PHASE       VERDICT    VALUE
              SO_REUSEADDR     bind.reuse_address  pre-bind    exact      1
              SO_MARK          bind.mark           pre-bind    refused    7 -> 0
              SO_BINDTODEVICE  bind.device         pre-bind    inherited  ""
              SO_RCVBUF        buffers.receive     pre-listen  adjusted   1048576 -> 425984

            """,
            Listenctl.Run(daemon, "listeners", "web").Output);
    }

    [Fact]
    public void Json_output_of_one_listener_is_an_array()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(All));
        Assert.Equal(new Listenctl(ExitCode.Done, All + "\n", ""), Listenctl.Run(daemon, "listeners", "--json"));
        Assert.Equal(new Listenctl(ExitCode.Done, $"[{Web}]\n", ""), Listenctl.Run(daemon, "listeners", "web", "--json"));
    }

    [Fact]
    public void An_unknown_listener_fails()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json("[]"));
        var result = Listenctl.Run(daemon, "listeners", "nope");
        Assert.Equal(new Listenctl(ExitCode.Failed, "", "listenctl: no listener named \"nope\"; there are no listeners\n"), result);
        Assert.Equal("no listeners\n", Listenctl.Run(daemon, "listeners").Output);
    }
}
