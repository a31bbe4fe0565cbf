using Supervisor.Core.Diagnosis;
using Supervisor.Core.Listeners;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Diagnosis;

/// <summary>Two looks at a listener to findings: what is a fault, and what is not one.</summary>
public class DiagnosisReportTests
{
    private const ulong Socket = 100;
    private static readonly ConnectionPeer Client = new(1, 50000);

    [Fact]
    public void Nothing_is_found_at_a_listener_that_serves()
    {
        var report = Report(new State { Queue = [0, 3, 0], Accepted = [Open(1)] });
        Assert.Empty(report.Findings);
        Assert.StartsWith("nothing waits and nothing is lost", report.Verdict, StringComparison.Ordinal);
    }

    [Fact]
    public void A_burst_is_no_finding_and_a_queue_that_is_never_empty_and_grows_is_one()
    {
        Assert.Empty(Codes(new State { Queue = [1, 0, 9] }));
        Assert.Equal(["accept-queue-growing"], Codes(new State { Queue = [1, 4, 9], Left = true }));
    }

    [Theory]
    [InlineData(100, 'S', "")]
    [InlineData(600, 'S', "worker-not-accepting")]
    [InlineData(600, 'T', "worker-stopped")]
    public void A_worker_does_not_accept_if_a_connection_waits_long_and_none_leaves(uint waited, char state, string code)
    {
        var found = Report(new State { Queue = [1, 1, 1], Waiting = [Wait(7, waited)], Process = state }).Findings.ToArray();
        Assert.Equal(code, string.Join(' ', found.Select(finding => finding.Code.ToWireName())));
        Assert.All(found, finding => Assert.Equal((FindingSeverity.Critical, 812), (finding.Severity, finding.Worker!.Pid)));
    }

    [Fact]
    public void A_queue_that_moves_too_slowly_is_a_warning()
    {
        var finding = Assert.Single(Report(new State { Queue = [3, 2, 3], Waiting = [Wait(7, 1500)], Left = true }).Findings);
        Assert.Equal((FindingCode.WorkerNotAccepting, FindingSeverity.Warning), (finding.Code, finding.Severity));
    }

    [Theory]
    [InlineData(0, "syn-queue-full")]
    [InlineData(16, "worker-not-accepting accept-queue-full")]
    public void Handshakes_that_wait_for_a_full_accept_queue_are_no_finding(long waiting, string codes)
    {
        var state = new State { Queue = [waiting, waiting], HalfOpen = 14, Waiting = waiting > 0 ? [Wait(7, 600)] : [] };
        Assert.Equal(codes, string.Join(' ', Codes(state)));
    }

    [Theory]
    [InlineData(89, "", false)]
    [InlineData(90, "worker-out-of-descriptors", false)]
    [InlineData(100, "worker-out-of-descriptors", true)]
    public void Descriptors_are_short_from_nine_tenths_on(long used, string codes, bool isCritical)
    {
        var found = Report(new State { Descriptors = used }).Findings.ToArray();
        Assert.Equal(codes, string.Join(' ', found.Select(finding => finding.Code.ToWireName())));
        Assert.Equal(isCritical, found.Any(finding => finding.Severity == FindingSeverity.Critical));
    }

    [Theory]
    [InlineData("draining", 500, "")]
    [InlineData("draining", 2000, "draining-worker-accepts")]
    public void A_draining_worker_may_accept_for_a_second(string state, int milliseconds, string codes) => Assert.Equal(
        codes,
        string.Join(' ', Codes(new State
        {
            Worker = state,
            Drains = TimeSpan.FromMilliseconds(milliseconds),
            Accepted = [Open(5)],
            IsIdleByIntent = true,
        })));

    [Theory]
    [InlineData(ConnectionTimer.WindowProbe, 0, 0, 0u, FindingCode.PeerNotReading)]
    [InlineData(ConnectionTimer.Retransmit, 3, 0, 1000u, FindingCode.Retransmitting)]
    [InlineData(ConnectionTimer.KeepAlive, 0, 1, 1000u, FindingCode.Retransmitting)]
    [InlineData(ConnectionTimer.Retransmit, 0, 0, 1000u, FindingCode.SendQueueStuck)]
    public void Each_trouble_of_a_connection_has_one_code(ConnectionTimer timer, int retransmits, int probes, uint window, FindingCode code)
    {
        var stuck = Connection(1, timer, 1000, new TcpFacts(retransmits, probes, 1, 900, 900, 900, 0, 5, 0, window));
        Assert.Equal(code, ConnectionRules.Kind(stuck, stuck));
        if (timer != ConnectionTimer.KeepAlive)
        {
            // Without the first look nothing shows that it is stuck, except timeouts in a row.
            Assert.Equal(retransmits > 1 ? code : null, ConnectionRules.Kind(stuck, before: null));
        }
    }

    [Fact]
    public void Data_that_is_acknowledged_meanwhile_is_no_trouble()
    {
        var before = Connection(1, ConnectionTimer.Retransmit, 1000, new TcpFacts(0, 0, 1, 0, 0, 0, 0, 5, 0, 1000));
        var now = Connection(1, ConnectionTimer.Retransmit, 1000, new TcpFacts(0, 0, 1, 0, 0, 0, 0, 6, 0, 1000));
        Assert.Null(ConnectionRules.Kind(now, before));
    }

    [Theory]
    [InlineData(ConnectionTimer.None, 59_000u, null)]
    [InlineData(ConnectionTimer.None, 61_000u, FindingCode.KeepAliveOff)]
    [InlineData(ConnectionTimer.KeepAlive, 61_000u, null)]
    public void An_idle_connection_needs_keep_alive_after_a_minute(ConnectionTimer timer, uint idle, FindingCode? code)
    {
        var connection = Connection(1, timer, 0, new TcpFacts(0, 0, 1, idle, idle, idle, 0, 5, 0, 1000));
        Assert.Equal(code, ConnectionRules.Kind(connection, connection));
    }

    [Theory]
    [InlineData(false, 100, 7, 40)]
    [InlineData(true, 100, 7, 0)]
    [InlineData(true, 100, 12, 5)]
    [InlineData(true, 100, 90, 40)]
    public void What_is_only_held_back_is_not_dropped(bool isDeferred, long counted, long real, long dropped)
    {
        var listener = new ListenerSubject("web", ListenerKind.Tcp, null, [new SocketSubject(Socket, 0, IsChosen: true)], [])
        {
            IsDeferred = isDeferred,
        };
        KernelLook Look(long drops, long ofAll) => new()
        {
            At = TimeSpan.Zero,
            Sockets = new Dictionary<ulong, SocketSample> { [Socket] = new(0, 16, drops) },
            Host = new HostSample { ListenDrops = ofAll },
        };
        var facts = new ListenerFacts(listener, Look(counted, 7), Look(counted + 40, real), []);
        Assert.Equal((dropped, (isDeferred ? 7 : counted) + dropped), (facts.Dropped, facts.DropsTotal));
    }

    private static IEnumerable<string> Codes(State state) => Report(state).Findings.Select(finding => finding.Code.ToWireName());

    private static DiagnosisReport Report(State state)
    {
        var worker = new WorkerSubject("api", 0, 3, 812, state.Worker) { DrainsFor = state.Drains };
        var listener = new ListenerSubject(
            "web", ListenerKind.Tcp, ListenAddress.TryParse("tcp://127.0.0.1:80", out var address, out _) ? address : null,
            [new SocketSubject(Socket, 0, IsChosen: true)], [worker])
        {
            Backlog = 16,
            Services = ["api"],
            IsIdleByIntent = state.IsIdleByIntent,
        };
        var process = new ProcessSample(812, state.Process, 1, TimeSpan.Zero) { Descriptors = state.Descriptors, DescriptorLimit = 100 };
        var workers = new Dictionary<int, WorkerSample>
        {
            [812] = new([process])
            {
                Sockets = state.Accepted.Select(one => one.Inode).Append(Socket).ToDictionary(inode => inode, _ => 812),
            },
        };
        ConnectionSample[] before = state.Left ? [.. state.Waiting, Wait(99, 1)] : state.Waiting;
        KernelLook Look(long queue, double seconds, IReadOnlyList<ConnectionSample> connections) => new()
        {
            At = TimeSpan.FromSeconds(seconds),
            Sockets = new Dictionary<ulong, SocketSample> { [Socket] = new(queue, 16, 0) },
            Connections = new Dictionary<string, IReadOnlyList<ConnectionSample>> { ["web"] = connections },
            Workers = workers,
            HalfOpen = new Dictionary<string, int> { ["web"] = state.HalfOpen },
        };
        return DiagnosisReport.Of(
            [listener], Look(state.Queue[0], 0, before), Look(state.Queue[^1], 1, [.. state.Waiting, .. state.Accepted]),
            [.. state.Queue[1..^1].Select(queue => Look(queue, 0, []).Sockets)]);
    }

    private static ConnectionSample Open(ulong inode) =>
        Connection(inode, ConnectionTimer.None, 0, new TcpFacts(0, 0, 1, 1, 1, 1, 0, 5, 0, 1000));

    private static ConnectionSample Wait(ulong cookie, uint milliseconds) => new()
    {
        Cookie = cookie,
        Inode = 0,
        State = ConnectionSample.Established,
        Remote = Client,
        Tcp = new TcpFacts(0, 0, 1, milliseconds, milliseconds, milliseconds, 0, 0, 0, 1000),
    };

    private static ConnectionSample Connection(ulong inode, ConnectionTimer timer, long sendQueue, TcpFacts tcp) => new()
    {
        Cookie = 1000 + inode,
        Inode = inode,
        State = ConnectionSample.Established,
        Remote = Client,
        Timer = timer,
        SendQueue = sendQueue,
        Tcp = tcp,
    };

    /// <summary>What the looks show; the queue in each sample.</summary>
    private sealed record State
    {
        public long[] Queue { get; init; } = [0, 0, 0];

        public ConnectionSample[] Waiting { get; init; } = [];

        public ConnectionSample[] Accepted { get; init; } = [];

        public bool Left { get; init; }

        public int HalfOpen { get; init; }

        public char Process { get; init; } = 'S';

        public long Descriptors { get; init; } = 10;

        public string Worker { get; init; } = "ready";

        public TimeSpan? Drains { get; init; }

        public bool IsIdleByIntent { get; init; }
    }
}
