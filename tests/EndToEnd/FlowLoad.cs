using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Supervisor.EndToEnd;

/// <summary>
/// Clients of a UDP service, a socket each, which send numbered datagrams in rounds. The worker answers with the number, its generation
/// and its pid.
/// </summary>
internal sealed class FlowLoad : IAsyncDisposable
{
    /// <summary>Between two rounds.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly IPEndPoint _server;
    private readonly List<Flow> _flows;
    private readonly List<Flow> _ended = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Task _sending;
    private long _rounds;
    private long _sent;
    private long _received;
    private long _misrouted;
    private long _disordered;

    /// <summary>Begins to send.</summary>
    public FlowLoad(IPEndPoint server, int flows)
    {
        _server = server;
        _flows = [.. Enumerable.Range(0, flows).Select(_ => new Flow(this))];
        _sending = Task.Run(SendAsync);
    }

    /// <summary>Waits until so many rounds have been sent.</summary>
    public async Task RoundsAsync(int rounds)
    {
        var until = Interlocked.Read(ref _rounds) + rounds;
        while (Interlocked.Read(ref _rounds) < until)
        {
            await Task.Delay(Pause);
        }
    }

    /// <summary>Replaces the first flows, and returns the generations that answer the new ones.</summary>
    public async Task<IReadOnlyList<int>> ReplaceAsync(int count)
    {
        // What the old ones wait for arrives first.
        Flow[] added = [.. Enumerable.Range(0, count).Select(_ => new Flow(this))];
        List<Flow> removed;
        lock (_gate)
        {
            removed = _flows[..count];
            _flows.RemoveRange(0, count);
            _flows.AddRange(added);
        }

        await UntilAnsweredAsync(removed);

        // Its port stays in use: the kernel would recognise the flow of the next client that gets it.
        _ended.AddRange(removed);
        await RoundsAsync(2);
        await UntilAnsweredAsync(added);
        return [.. added.Select(flow => flow.Generation)];
    }

    /// <summary>Ends the sending, and waits for the answers.</summary>
    public async Task<(long Sent, long Received, long Misrouted, long Disordered)> EndAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        await UntilAnsweredAsync(_flows);
        return (_sent, _received, _misrouted, _disordered);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        _flows.Concat(_ended).ToList().ForEach(flow => flow.Dispose());
        _stop.Dispose();
    }

    private async Task SendAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            lock (_gate)
            {
                _flows.ForEach(flow => flow.Send());
            }

            Interlocked.Increment(ref _rounds);
            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    /// <summary>Waits for the answers; those that do not come in time are lost.</summary>
    private static async Task UntilAnsweredAsync(IEnumerable<Flow> flows)
    {
        var until = DateTime.UtcNow + Patience.Limit / 3;
        while (flows.Any(flow => !flow.IsAnswered) && DateTime.UtcNow < until)
        {
            await Task.Delay(Pause);
        }
    }

    private sealed class Flow : IDisposable
    {
        private readonly FlowLoad _load;
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private long _next;
        private long _expected;
        private string? _worker;

        public Flow(FlowLoad load)
        {
            _load = load;
            _socket.Connect(load._server);
            _ = Task.Run(ReceiveAsync);
        }

        public bool IsAnswered => Interlocked.Read(ref _expected) >= Interlocked.Read(ref _next);

        public int Generation { get; private set; }

        public void Send()
        {
            _socket.Send(Encoding.ASCII.GetBytes(_next.ToString(CultureInfo.InvariantCulture)));
            Interlocked.Increment(ref _next);
            Interlocked.Increment(ref _load._sent);
        }

        public void Dispose() => _socket.Dispose();

        private async Task ReceiveAsync()
        {
            var buffer = new byte[256];
            try
            {
                while (await _socket.ReceiveAsync(buffer) is var length)
                {
                    Read(Encoding.ASCII.GetString(buffer, 0, length).Split(' '));
                }
            }
            catch (SocketException)
            {
                // The socket was closed.
            }
            catch (ObjectDisposedException)
            {
            }
        }

        private void Read(string[] answer)
        {
            Interlocked.Increment(ref _load._received);
            if (long.Parse(answer[0], CultureInfo.InvariantCulture) != _expected)
            {
                Interlocked.Increment(ref _load._disordered);
            }

            _worker ??= answer[2];
            if (answer[2] != _worker)
            {
                Interlocked.Increment(ref _load._misrouted);
            }

            Generation = int.Parse(answer[1], CultureInfo.InvariantCulture);
            Interlocked.Exchange(ref _expected, long.Parse(answer[0], CultureInfo.InvariantCulture) + 1);
        }
    }
}
