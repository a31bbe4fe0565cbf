using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Probes;

/// <summary>Connects to a listener until a certain worker accepts a connection, and asks that worker.</summary>
/// <remarks>
/// Any worker on a shared listener may get the connection, an old worker too, and neither address nor credentials tell which.
/// So the probe waits until a worker accepts the connection. sock_diag then has the inode of the accepted socket, and /proc
/// shows whether this worker has it. If not, the probe closes the connection and tries again. A connection that no process
/// accepts in time is kept for the next probe, so that there is never more than one of them in the accept queue. Only if no process
/// accepts it soon does the probe send an opening first: with TCP_DEFER_ACCEPT the kernel waits for it.
/// </remarks>
public abstract class ListenerProbe : IReadinessProbe, IDisposable
{
    private const int MostAttempts = 32;
    private enum Owner
    {
        /// <summary>No process has accepted the connection in time.</summary>
        Nobody,

        /// <summary>A process accepted the connection and closed it before its descriptor was found.</summary>
        Unknown,

        /// <summary>Another process has it.</summary>
        Other,

        /// <summary>The worker has it.</summary>
        Worker,
    }

    private static readonly TimeSpan DefaultAcceptTime = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan DefaultAnswerTime = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection waits without an opening, at most half of the time that it may wait.</summary>
    private static readonly TimeSpan MostSilence = TimeSpan.FromMilliseconds(50);

    /// <summary>The time limit for reading the worker's descriptors: it may have any number of them.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(1);

    private readonly object _owner;
    private readonly Func<int> _pid;
    private readonly IReadOnlyList<EndPoint> _addresses;
    private readonly Func<int> _others;

    /// <summary>The connection that waits in the accept queue; null if there is none.</summary>
    private Attempt? _waiting;
    private bool _wasReported;

    /// <summary>
    /// Asks about a connection that a process accepted, and answered or closed at once: null if the worker counts as good, otherwise
    /// what was seen.
    /// </summary>
    protected virtual Task<string?> AskUnknownAsync(Socket connection, CancellationToken end) =>
        Task.FromResult<string?>(ClosedText);

    /// <summary>
    /// Connects to a listener at its effective address, where as many <paramref name="others"/> may accept. Probes
    /// that do not return count against <paramref name="owner"/>.
    /// </summary>
    protected ListenerProbe(object owner, Func<int> pid, string listener, ListenAddress address, Func<int> others)
    {
        _owner = owner;
        _pid = pid;
        Listener = listener;
        _addresses = Reachable(address);
        Host = address.Host is null ? "localhost" : _addresses[0].ToString()!;
        _others = others;
    }

    /// <summary>How long one connection may take.</summary>
    public TimeSpan AnswerTime { get; private set; } = DefaultAnswerTime;

    /// <summary>How long a connection may wait until a process accepts it.</summary>
    public TimeSpan AcceptTime { get; private set; } = DefaultAcceptTime;

    /// <summary>The same probe with another time for a connection: until it is accepted, and until it is answered.</summary>
    public ListenerProbe Within(TimeSpan time)
    {
        (AnswerTime, AcceptTime) = (time, time);
        return this;
    }

    /// <summary>Whether no other worker can accept there.</summary>
    protected bool IsAlone => _others() == 0;

    /// <summary>What the last probe has learned about the worker.</summary>
    public ProbeFinding Finding { get; private set; }

    /// <summary>Gets why the daemon could not connect, each time; null when it can again.</summary>
    public Action<string?>? OnUnable { get; set; }

    /// <summary>The listener's name.</summary>
    protected string Listener { get; }

    /// <summary>The address as a client writes it in a Host header.</summary>
    protected string Host { get; }

    /// <summary>What was seen if the connection was closed without an answer.</summary>
    protected string ClosedText => $"{Question} on \"{Listener}\": the connection was closed without an answer; {ForTls}";

    /// <summary>What to set for a worker that answers with TLS, or ends the connection because it expects TLS.</summary>
    protected const string ForTls = "a port with TLS needs \"tcp\" or \"exec:COMMAND\"";

    /// <summary>What the probe asks, for messages, such as <c>GET /healthz</c>.</summary>
    protected abstract string Question { get; }

    /// <summary>
    /// What the probe sends to a connection that no process has accepted soon; empty: nothing. No worker may take it for a whole
    /// request.
    /// </summary>
    protected abstract ReadOnlyMemory<byte> Opening { get; }

    /// <summary>Asks the worker on a connection that it has accepted: null if the answer is good, otherwise what it was.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="isOpened">Whether <see cref="Opening"/> was sent.</param>
    /// <param name="end">Ends the wait.</param>
    protected abstract Task<string?> AskAsync(Socket connection, bool isOpened, CancellationToken end);

    /// <inheritdoc/>
    public bool WasUnable => Finding == ProbeFinding.Unable;

    /// <inheritdoc/>
    public async Task<string?> ProbeAsync(CancellationToken end)
    {
        string? seen = "";
        Finding = ProbeFinding.Silent;
        var attempts = Math.Min(4 + (2 * _others()), MostAttempts);
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            (var isOver, seen) = await TryAsync(end);
            if (isOver)
            {
                break;
            }
        }

        // Without descriptors it reads nothing of /proc, and finds no owner of a connection.
        if (seen is not null && Finding != ProbeFinding.Answered && DescriptorReserve.IsReached())
        {
            (Finding, seen) = (ProbeFinding.Unable, DescriptorReserve.ReachedText);
        }

        if (WasUnable || _wasReported)
        {
            _wasReported = WasUnable;
            OnUnable?.Invoke(WasUnable ? seen : null);
        }

        return seen;
    }

    /// <summary>One connection: whether the probe ends with it, and the result; null: this worker gave a good answer.</summary>
    private async Task<(bool IsOver, string? Seen)> TryAsync(CancellationToken end)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(end);
        limit.CancelAfter(AnswerTime);
        var isConnected = false;
        try
        {
            using var attempt = TakeWaiting() ?? new Attempt(await ConnectAsync(limit.Token));
            isConnected = true;
            switch (await OwnerAsync(attempt, limit.Token))
            {
                case Owner.Nobody:
                    _waiting = attempt.Keep();
                    return (true, $"no process accepted a connection to \"{Listener}\"");
                case Owner.Other:
                    Finding = ProbeFinding.Unknown;
                    return (false, $"connections to \"{Listener}\" were accepted by other processes, not by this worker");
                case Owner.Unknown:
                    Finding = ProbeFinding.Answered;
                    return (true, await AskUnknownAsync(attempt.Connection, limit.Token));
                case Owner.Worker:
                    Finding = ProbeFinding.Silent;
                    var answer = await AskAsync(attempt.Connection, attempt.IsOpened, limit.Token);
                    Finding = ProbeFinding.Answered;
                    return (true, answer);
                case var owner:
                    throw new InvalidOperationException($"{owner}");
            }
        }
        catch (OperationCanceledException) when (!end.IsCancellationRequested)
        {
            return (true, $"{Question} on \"{Listener}\": no answer within {Duration.Rounded(AnswerTime)}");
        }
        catch (SocketException exception) when (isConnected)
        {
            Finding = ProbeFinding.Answered;
            var isReset = exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted;
            return (true, $"{Question} on \"{Listener}\": " + (isReset
                ? $"the connection was reset without an answer; {ForTls}"
                : ErrnoNames.Name(exception.NativeErrorCode)));
        }
        catch (SocketException exception)
        {
            // A full accept queue of a UNIX socket is the worker's. Anything else is the daemon's or the host's.
            Finding = exception.SocketErrorCode == SocketError.WouldBlock ? ProbeFinding.Silent : ProbeFinding.Unable;
            return (true, $"cannot connect to \"{Listener}\": {ErrnoNames.Name(exception.NativeErrorCode)}{exception.SocketErrorCode switch
            {
                SocketError.TooManyOpenSockets => $"; {DescriptorReserve.ReachedText}",
                SocketError.AddressNotAvailable => "; no local port is free: raise net.ipv4.ip_local_port_range",
                _ => "",
            }}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(isDisposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the connection that waits.</summary>
    protected virtual void Dispose(bool isDisposing) => _waiting?.Close();

    /// <summary>A connection. It is closed at the end of the attempt, unless it is kept for the next one.</summary>
    private sealed class Attempt(Socket connection) : IDisposable
    {
        private bool _isKept;

        public Socket Connection => connection;

        /// <summary>Whether the opening was sent.</summary>
        public bool IsOpened { get; set; }

        public Attempt Keep()
        {
            _isKept = true;
            return this;
        }

        /// <summary>Takes a kept one; null if it was closed in the meantime: nothing but its end can be read yet.</summary>
        public Attempt? Resume()
        {
            _isKept = false;
            if (connection.Poll(0, SelectMode.SelectRead))
            {
                connection.Dispose();
                return null;
            }

            return this;
        }

        /// <summary>Closes a kept one.</summary>
        public void Close() => connection.Dispose();

        public void Dispose()
        {
            if (!_isKept)
            {
                connection.Dispose();
            }
        }
    }

    /// <summary>The connection of an earlier probe; null if there is none.</summary>
    private Attempt? TakeWaiting()
    {
        var waiting = _waiting;
        _waiting = null;
        return waiting?.Resume();
    }

    private async Task<Socket> ConnectAsync(CancellationToken end)
    {
        for (var i = 0; ; i++)
        {
            var address = _addresses[i];
            var protocol = address is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified;
            var socket = new Socket(address.AddressFamily, SocketType.Stream, protocol);
            try
            {
                await socket.ConnectAsync(address, end);
                OwnConnections.Shared.Add(socket);
                return socket;
            }
            catch (Exception exception)
            {
                socket.Dispose();
                if (exception is not SocketException || i == _addresses.Count - 1)
                {
                    throw;
                }
            }
        }
    }

    /// <summary>Which process accepted the connection.</summary>
    private async Task<Owner> OwnerAsync(Attempt attempt, CancellationToken end)
    {
        var connection = attempt.Connection;
        var silence = AcceptTime / 2 < MostSilence ? AcceptTime / 2 : MostSilence;
        var started = TimeProvider.System.GetTimestamp();
        for (var wait = 1; ; wait = Math.Min(wait * 2, 20))
        {
            // accept() gives the socket its inode before the descriptor exists.
            if (AcceptedSocket.Inode(connection) is > 0 and var inode)
            {
                OwnConnections.Shared.AddAccepted(connection, inode);
                if (await HoldsAsync(inode))
                {
                    return Owner.Worker;
                }

                await Task.Delay(1, end);
                return await HoldsAsync(inode) ? Owner.Worker : Owner.Other;
            }

            if (connection.Poll(0, SelectMode.SelectRead))
            {
                return Owner.Unknown;
            }

            var waited = TimeProvider.System.GetElapsedTime(started);
            if (waited > AcceptTime)
            {
                return Owner.Nobody;
            }

            if (waited > silence && !attempt.IsOpened && !Opening.IsEmpty)
            {
                await connection.SendAsync(Opening, end);
                attempt.IsOpened = true;
            }

            await Task.Delay(wait, end);
        }
    }

    /// <summary>
    /// Whether one of the worker's processes has that socket. A process that the daemon may not read does not count.
    /// </summary>
    private Task<bool> HoldsAsync(ulong inode) => ProbeThreads.Shared.RunAsync(_owner, () =>
    {
        var until = Stopwatch.GetTimestamp() + (long)(ReadTimeout.TotalSeconds * Stopwatch.Frequency);
        var wanted = new HashSet<ulong> { inode };
        var found = new List<OpenFiles.Found>();
        foreach (var pid in WorkerTree.Of(_pid(), until))
        {
            OpenFiles.FindSocketsOf(pid, wanted, found, until);
            if (found.Count > 0)
            {
                return true;
            }
        }

        return false;
    });

    private static IReadOnlyList<EndPoint> Reachable(ListenAddress address)
    {
        if (address.Kind == ListenerKind.UnixStream)
        {
            return [new UnixDomainSocketEndPoint(address.IsAbstract ? "\0" + address.Path : address.Path!)];
        }

        var port = (int)address.Port;
        return !address.IsWildcard ? [new IPEndPoint(address.Host!, port)]
            : IPAddress.IPv6Any.Equals(address.Host)
                ? [new IPEndPoint(IPAddress.IPv6Loopback, port), new IPEndPoint(IPAddress.Loopback, port)]
            : [new IPEndPoint(IPAddress.Loopback, port)];
    }
}

/// <summary>What a probe has learned about a worker.</summary>
public enum ProbeFinding
{
    /// <summary>The worker did not respond.</summary>
    Silent,

    /// <summary>The worker has responded, well or badly.</summary>
    Answered,

    /// <summary>Nothing: other processes have accepted the connections.</summary>
    Unknown,

    /// <summary>Nothing: the daemon could not connect, or has no descriptor left.</summary>
    Unable,
}
