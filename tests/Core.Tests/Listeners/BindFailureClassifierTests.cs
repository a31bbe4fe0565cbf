using System.Collections.Immutable;
using System.Net;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.Tests.Listeners;

/// <summary>Every cause from the evidence that tells it; tests/Diagnosis.Tests makes the same situations for real.</summary>
public sealed class BindFailureClassifierTests
{
    private static readonly HolderProcess Nginx = new(812, "nginx", "nginx: master", "nginx.service", 0, IsPredecessor: false);

    public static TheoryData<string, string, string, string, bool> ByErrno => new()
    {
        { "EACCES", "bind", "tcp://127.0.0.1:80", "privileged-port", false },
        { "EACCES", "bind", "vsock://*:80", "privileged-port", false },
        { "EACCES", "bind", "unix:///run/x/s", "path-permission", false },
        { "EROFS", "bind", "unix:///run/x/s", "path-permission", false },
        { "EPERM", "setsockopt", "tcp://127.0.0.1:80", "option-not-permitted", false },
        { "ENODEV", "setsockopt", "tcp://127.0.0.1:80", "device-absent", false },
        { "EAFNOSUPPORT", "socket", "tcp://[::1]:80", "family-unsupported", false },
        { "EPROTONOSUPPORT", "socket", "mptcp://[::1]:80", "family-unsupported", false },
        { "ENOPROTOOPT", "socket", "mptcp://127.0.0.1:80", "family-unsupported", false },
        { "ENOENT", "bind", "unix:///run/x/s", "directory-absent", false },
        { "ENOTDIR", "bind", "unix:///run/x/s", "directory-absent", false },
        { "ENAMETOOLONG", "bind", "unix:///run/x/s", "path-too-long", false },
        { "ENOSPC", "bind", "unix:///run/x/s", "file-system-full", false },
        { "EDQUOT", "bind", "unix:///run/x/s", "file-system-full", false },
        { "ENOSPC", "mknodat", "fifo:///run/x/f", "file-system-full", false },
        { "ENOENT", "setns", "tcp://127.0.0.1:80", "namespace-absent", false },
        { "EINVAL", "setns", "tcp://127.0.0.1:80", "namespace-absent", false },
        { "EPERM", "setns", "tcp://127.0.0.1:80", "option-not-permitted", false },
        { "EACCES", "setns", "unix://@a", "path-permission", false },
        { "EMFILE", "socket", "tcp://127.0.0.1:80", "descriptor-limit", false },
        { "ENFILE", "socket", "tcp://127.0.0.1:80", "descriptor-limit", false },
        { "ENOBUFS", "bind", "tcp://127.0.0.1:80", "kernel-memory", false },
        { "ENOMEM", "socket", "tcp://127.0.0.1:80", "kernel-memory", false },
        { "EINVAL", "bind", "tcp://[fe80::1]:80", "scope-missing", false },
        { "EINVAL", "bind", "udp://[ff02::1]:80", "scope-missing", false },
        { "EINVAL", "bind", "tcp://[ff0e::1]:80", "not-local-multicast", false },
        { "EINVAL", "bind", "tcp://127.0.0.1:80", "unexplained", false },
        { "EINVAL", "fchownat", "unix:///run/x/s", "unexplained", false },
        { "EADDRNOTAVAIL", "bind", "udp://239.1.2.3:80", "not-local-multicast", false },
        { "EADDRNOTAVAIL", "bind", "tcp://192.0.2.1:80", "address-absent", true },
        { "EADDRNOTAVAIL", "bind", "vsock://77:80", "cid-absent", false },
        { "EADDRINUSE", "bind", "vsock://*:80", "same-address", false },
        { "EADDRINUSE", "bind", "tcp://127.0.0.1:80", "unexplained", false },
        { "ELOOP", "bind", "unix:///run/x/s", "directory-absent", false },
    };

    [Theory]
    [MemberData(nameof(ByErrno))]
    public void Errno_and_address_determine_the_cause(string errno, string call, string address, string cause, bool retry) =>
        Check(Classify(errno, Spec(address), new BindEvidence { Uid = 1000 }, call), errno, cause, retry);

    [Theory]
    [InlineData("vsock://1:80", null, "modprobe vsock_loopback")]
    [InlineData("vsock://2:80", null, "modprobe vhost_vsock")]
    [InlineData("vsock://77:80", null, "listen on vsock://*:80")]
    [InlineData("vsock://77:80", 3u, "listen on vsock://3:80, or on vsock://*:80")]
    public void An_absent_cid_has_advice_about_cids(string address, uint? own, string advice)
    {
        var diagnosis = Classify("EADDRNOTAVAIL", Spec(address), new BindEvidence { LocalCid = own, Interfaces = ["lo", "eth0"] });
        Check(diagnosis, "EADDRNOTAVAIL", "cid-absent", retry: false);
        Assert.Contains(advice, diagnosis.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain("free_bind", diagnosis.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain("ip addr", diagnosis.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false, false, "address-absent", true)]
    [InlineData(false, false, false, "interface-down", true)]
    [InlineData(true, true, false, "address-tentative", true)]
    [InlineData(true, true, true, "address-duplicate", false)]
    [InlineData(false, true, false, "interface-down", true)]
    public void The_address_state_determines_the_cause(bool isUp, bool isTentative, bool isDuplicate, string cause, bool retry)
    {
        var address = IPAddress.Parse("2001:db8::1");
        var evidence = new BindEvidence
        {
            Addresses = [new InterfaceAddress(address, "eth0", isUp, isTentative, isDuplicate)],
            Interfaces = ["lo", "eth0"]
        };
        Check(Classify("EADDRNOTAVAIL", Spec("tcp://[2001:db8::1]:80"), evidence), "EADDRNOTAVAIL", cause, retry);
    }

    [Fact]
    public void Disabled_IPv6_is_classified() => Check(
        Classify(
            "EADDRNOTAVAIL",
            Spec("tcp://[2001:db8::1]:80"),
            new BindEvidence { IPv6Disabled = true }), "EADDRNOTAVAIL", "family-disabled", retry: false);

    [Theory]
    [InlineData(UnixPathState.Live, BoundState.Listening, "unix-path-in-use")]
    [InlineData(UnixPathState.Stale, null, "stale-unix-path")]
    [InlineData(UnixPathState.BoundNotListening, BoundState.Bound, "bound-not-listening")]
    [InlineData(UnixPathState.OtherFile, null, "not-a-socket")]
    [InlineData(UnixPathState.Unknown, null, "unexplained")]
    public void The_file_at_the_path_determines_the_cause(UnixPathState state, BoundState? holder, string cause)
    {
        var evidence = new BindEvidence { Path = state, Holders = holder is { } bound ? [Unix("unix:///run/x/s", bound)] : [] };
        Check(Classify("EADDRINUSE", Spec("unix:///run/x/s"), evidence), "EADDRINUSE", cause, retry: false);
    }

    [Theory]
    [InlineData(BoundState.Listening, "same-address")]
    [InlineData(BoundState.Bound, "bound-not-listening")]
    public void The_owner_of_an_abstract_name_determines_the_cause(BoundState state, string cause) =>
        Check(
            Classify("EADDRINUSE", Spec("unix://@x"), new BindEvidence { Holders = [Unix("unix://@x", state)] }),
            "EADDRINUSE",
            cause,
            retry: false);

    [Fact]
    public void A_predecessor_is_the_cause_before_all_others()
    {
        var worker = Holder("0.0.0.0", BoundState.Listening, reusePort: true) with { Processes = [Nginx with { IsPredecessor = true }] };
        var diagnosis = Classify("EADDRINUSE", Spec("tcp://127.0.0.1:80"), new BindEvidence { Holders = [worker] });
        Check(diagnosis, "EADDRINUSE", "held-by-predecessor", retry: true);
        Assert.Contains("kill 812", diagnosis.Advice, StringComparison.Ordinal);
    }

    /// <summary>The worker of a daemon that runs: its connections are its own, and the daemon holds the listener too.</summary>
    [Fact]
    public void A_connection_of_a_worker_does_not_hide_the_listener_of_its_daemon()
    {
        var listener = Holder("127.0.0.1", BoundState.Listening) with { Processes = [Nginx with { Command = "listend" }, Nginx] };
        var connection = Holder("127.0.0.1", BoundState.Connected) with
        {
            FlagsKnown = false,
            Processes = [Nginx with { IsPredecessor = true }],
        };
        var diagnosis = Classify("EADDRINUSE", Spec("tcp://127.0.0.1:80"), new BindEvidence { Holders = [connection, listener] });
        Check(diagnosis, "EADDRINUSE", "same-address", retry: false);
        Assert.Equal([BoundState.Listening], diagnosis.Holders.Select(holder => holder.State));

        var alone = Classify("EADDRINUSE", Spec("tcp://127.0.0.1:80"), new BindEvidence { Holders = [connection] });
        Check(alone, "EADDRINUSE", "held-by-predecessor", retry: true);
    }

    [Fact]
    public void The_closest_owner_names_the_cause_and_all_are_listed()
    {
        var evidence = new BindEvidence { Holders = [Holder("127.0.0.2", BoundState.Listening), Holder("0.0.0.0", BoundState.Listening)] };
        var diagnosis = Classify("EADDRINUSE", Spec("tcp://0.0.0.0:80"), evidence);
        Check(diagnosis, "EADDRINUSE", "same-address", retry: false);
        Assert.Equal(["tcp://0.0.0.0:80", "tcp://127.0.0.2:80"], diagnosis.Owners.Select(owner => owner.Address));
    }

    [Fact]
    public void Sockets_that_do_not_overlap_the_address_are_not_owners()
    {
        var evidence = new BindEvidence
        {
            Holders = [Holder("127.0.0.2", BoundState.Listening), Holder("127.0.0.1", BoundState.Listening)]
        };
        Assert.Equal("tcp://127.0.0.1:80", Assert.Single(Classify("EADDRINUSE", Spec("tcp://127.0.0.1:80"), evidence).Owners).Address);
    }

    [Theory]
    [InlineData(false, true, 0u, "reuse-port-mismatch")]
    [InlineData(true, false, 0u, "reuse-port-mismatch")]
    [InlineData(true, false, 1000u, "reuse-port-mismatch")]
    [InlineData(true, true, 1000u, "reuse-port-other-user")]
    [InlineData(true, null, 0u, "reuse-port-mismatch")]
    [InlineData(true, null, 1000u, "reuse-port-other-user")]
    [InlineData(false, null, 1000u, "covered-by-wildcard")]
    [InlineData(false, false, 1000u, "covered-by-wildcard")]
    public void A_visible_sharing_flag_is_checked_before_addresses(bool asked, bool? held, uint holderUid, string cause)
    {
        var holder = Holder(
            "0.0.0.0",
            BoundState.Listening,
            reusePort: held == true,
            uid: holderUid) with
        { FlagsKnown = held is not null };
        var diagnosis = Classify("EADDRINUSE", Spec("tcp://127.0.0.1:80", reusePort: asked), new BindEvidence { Holders = [holder] });
        Check(diagnosis, "EADDRINUSE", cause, retry: false);
        Assert.Equal(
            held is null && cause != "reuse-port-mismatch",
            diagnosis.Advice.Contains("cannot be seen by uid 0", StringComparison.Ordinal));
    }

    [Fact]
    public void Owners_rank_live_bound_connected_then_time_wait()
    {
        var spec = Spec("tcp://127.0.0.1:80");
        var timeWait = Holder("127.0.0.1", BoundState.TimeWait) with { Inode = 0, Processes = [], Expires = TimeSpan.FromSeconds(42) };
        var rest = ImmutableArray.Create(timeWait);
        var last = Classify("EADDRINUSE", spec, new BindEvidence { Holders = rest });
        Check(last, "EADDRINUSE", "time-wait", retry: true);
        Assert.Equal(TimeSpan.FromSeconds(42), last.ClearsIn);
        Assert.Empty(last.Owners);
        foreach (var (state, cause, retry) in new[]
        {
            (BoundState.Connected, "connections-open", true), (BoundState.Bound, "bound-not-listening", false),
            (BoundState.Listening, "same-address", false),
        })
        {
            rest = rest.Add(Holder("127.0.0.1", state));
            Check(Classify("EADDRINUSE", spec, new BindEvidence { Holders = rest }), "EADDRINUSE", cause, retry);
        }
    }

    [Fact]
    public void A_socket_that_shares_by_the_rules_does_not_conflict()
    {
        // Both have SO_REUSEADDR, so the connections are no obstacle; the bound socket without it is.
        var connection = Holder("127.0.0.1", BoundState.Connected) with { FlagsKnown = true };
        connection = connection with { Socket = connection.Socket! with { ReuseAddress = true } };
        var bound = Holder("127.0.0.1", BoundState.Bound) with { FlagsKnown = true };
        var diagnosis = Classify("EADDRINUSE", Spec("tcp://127.0.0.1:80"), new BindEvidence { Holders = [connection, bound] });
        Check(diagnosis, "EADDRINUSE", "bound-not-listening", retry: false);
        Assert.Single(diagnosis.Holders);
    }

    [Fact]
    public void A_hidden_holder_before_Linux_6_8_is_a_bound_socket() => Check(
        Classify(
            "EADDRINUSE",
            Spec("tcp://127.0.0.1:80"),
            new BindEvidence { ShowsBound = false }), "EADDRINUSE", "bound-not-listening", retry: false);

    [Fact]
    public void The_verdict_names_what_it_cannot_see()
    {
        var hidden = Holder("127.0.0.1", BoundState.Listening, uid: 33) with { Processes = [] };
        var diagnosis = Classify(
            "EADDRINUSE", Spec("tcp://127.0.0.1:80"), new BindEvidence
            {
                Holders = [hidden],
                HiddenProcesses = 7,
                Uid = 1000,
                Namespace = "net:[42]"
            });
        Assert.Contains(
            "held by a process of uid 33 that is not visible to uid 1000 (7 processes",
            diagnosis.Advice,
            StringComparison.Ordinal);
        Assert.Contains("net:[42]", diagnosis.Advice, StringComparison.Ordinal);
        var owner = Assert.Single(diagnosis.Owners);
        Assert.Equal((null, null, 33u), (owner.Pid, owner.Command, owner.Uid));
    }

    [Fact]
    public void The_verdict_names_process_unit_and_user()
    {
        var diagnosis = Classify(
            "EADDRINUSE",
            Spec("tcp://0.0.0.0:80"),
            new BindEvidence { Holders = [Holder("127.0.0.1", BoundState.Listening)] });
        Assert.Equal(
            "nginx (pid 812, nginx.service, uid 0) listens on tcp://127.0.0.1:80, which the wildcard would cover",
            diagnosis.Verdict);
        Assert.StartsWith("stop nginx (systemctl stop nginx.service)", diagnosis.Advice, StringComparison.Ordinal);
    }

    /// <summary>Who stops the keeper loses the sockets of the daemon that was killed.</summary>
    [Fact]
    public void The_advice_does_not_stop_a_keeper()
    {
        var held = Holder("0.0.0.0", BoundState.Listening) with
        {
            Processes =
            [
                new HolderProcess(9, "app", null, null, 0, IsPredecessor: false),
                new HolderProcess(10, "listend-keeper", null, "apps.service", 0, IsPredecessor: false),
            ],
        };
        var diagnosis = Classify("EADDRINUSE", Spec("tcp://0.0.0.0:80"), new BindEvidence { Holders = [held] });
        Assert.StartsWith("start the listend that was killed", diagnosis.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void The_verdict_uses_the_plural_for_several_processes()
    {
        var workers = Nginx with { Pid = 813, Command = "nginx" };
        var several = Holder("127.0.0.1", BoundState.Listening) with { Processes = [Nginx, workers, workers with { Pid = 814 }] };
        Assert.Equal(
            "nginx (pid 812, nginx.service, uid 0) and 2 more processes listen on tcp://127.0.0.1:80",
            Classify("EADDRINUSE", Spec("tcp://127.0.0.1:80"), new BindEvidence { Holders = [several] }).Verdict);
        Assert.Equal(
            "nginx (pid 812, nginx.service, uid 0) and 2 more processes have bound tcp://127.0.0.1:80 and do not listen",
            Classify("EADDRINUSE", Spec("tcp://127.0.0.1:80"), new BindEvidence { Holders = [several with { State = BoundState.Bound }] })
                .Verdict);
    }

    [Fact]
    public void Every_cause_has_its_own_word_and_heading()
    {
        var words = Enum.GetValues<BindCause>().Select(cause => cause.ToWireName()).ToList();
        Assert.Equal(words.Count, words.Distinct().Count());
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Supervisor.sln")))
        {
            directory = Path.GetDirectoryName(directory)!;
        }

        var headings = File.ReadLines(Path.Combine(directory, "docs", "reference", "errors.md"))
            .Where(line => line.StartsWith("## ", StringComparison.Ordinal))
            .Select(line => line[3..]);
        Assert.Equal(words.Order(), headings.Order());
    }

    private static void Check(BindDiagnosis diagnosis, string errno, string cause, bool retry)
    {
        Assert.Equal(
            (errno, cause, retry, false),
            (diagnosis.Errno, diagnosis.Cause!.Value.ToWireName(), diagnosis.Retry, diagnosis.Bindable));
        Assert.NotEmpty(diagnosis.Verdict);
        Assert.NotEmpty(diagnosis.Advice);
    }

    private static BindDiagnosis Classify(string errno, ListenerSpec spec, BindEvidence evidence, string call = "bind") =>
        BindFailureClassifier.Classify(new SystemCallFailure(call, "SOL_SOCKET, SO_X, 1", 1, errno, errno), spec, evidence);

    private static ListenerSpec Spec(string text, bool reusePort = false)
    {
        Assert.True(ListenAddress.TryParse(text, out var address, out _));
        return new ListenerSpec { Name = "test", Address = address, Bind = new BindOptions { ReusePort = reusePort } };
    }

    private static SocketHolder Holder(string host, BoundState state, bool reusePort = false, uint uid = 0) => new()
    {
        Address = $"tcp://{host}:80",
        State = state,
        StateName = state.ToString(),
        Inode = 4711,
        Uid = uid,
        FlagsKnown = true,
        Processes = [Nginx with { Uid = uid }],
        Socket = new BoundSocket
        {
            Space = PortSpace.Tcp,
            Address = IPAddress.Parse(host),
            Port = 80,
            ReusePort = reusePort,
            Uid = uid,
            State = state
        },
    };

    private static SocketHolder Unix(string address, BoundState state) => new()
    {
        Address = address,
        State = state,
        StateName = state.ToString(),
        Inode = 4711,
        Processes = [Nginx],
    };
}
