using System.Text;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// The daemon's end of the keeper (keeper.c): a process of a few pages that holds the daemon's descriptors in case the daemon
/// dies, and passes them to the successor that connects to its socket. When it exits it is reaped as orphans are. On the loop.
/// </summary>
public sealed class FdHolder : IDescriptorHolder, IDisposable
{
    private const int MaxPacket = 512;

    /// <summary>The most keys, and descriptors, in one packet: keeper.c, TOGETHER.</summary>
    private const int MostTogether = 16;

    /// <summary>How long a start waits for each packet of a dead daemon's keeper, and an exit for its end. It takes microseconds.</summary>
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(2);

    /// <summary>How long the loop waits for room in the keeper's buffer. It takes microseconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private readonly EventLoop _loop;
    private readonly ILogger _log;
    private readonly DescriptorHandle _link;
    private readonly LaunchedProcess? _process;
    private bool _standsStill;
    private bool _takesSeveral;

    private FdHolder(EventLoop loop, DescriptorHandle link, LaunchedProcess? process, ILogger log)
    {
        _takesSeveral = process is not null;
        _loop = loop;
        _link = link;
        _process = process;
        _log = log;
        loop.Watch(link, OnReadable);
        if (process is null)
        {
            // An older version reads one key per packet and does not answer.
            Send("V"u8, []);
        }
    }

    /// <summary>Raised when the keeper has exited: it holds nothing any more.</summary>
    public event Action? Gone;

    /// <summary>Raised when the keeper does not hold what was put under a key.</summary>
    public event Action<string>? Refused;

    /// <summary>The link, for a successor in the same process.</summary>
    public DescriptorHandle Link => _link;

    /// <summary>Its process id; 0 if a previous daemon started it.</summary>
    public int Pid => _process?.Pid ?? 0;

    /// <summary>
    /// Starts a keeper with its socket at <paramref name="path"/>; null with the reason. Its execve() may not have finished
    /// when this returns; packets wait until then. Main thread only.
    /// </summary>
    public static FdHolder? TryStart(EventLoop loop, string path, IReadOnlyList<string> environment, ILogger log, out string? error)
    {
        error = null;
        if (Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixSeqpacket, path, isAbstract: false)) is not { } raw)
        {
            error = $"{path}: the path is too long for a socket";
            return null;
        }

        using var socket = Sockets.Create(AF_UNIX, SOCK_SEQPACKET, 0, nonBlocking: false, out var refused);
        using var image = Succession.Executable("listend-keeper", Succession.KeeperProgram, out var unwritten);
        if (socket is null || image is null)
        {
            error = (socket is null ? refused : unwritten).ToString();
            return null;
        }

        Files.Unlink(path);
        if ((Files.SetMode(socket, 0x180) ?? Sockets.Bind(socket, raw) ?? Sockets.Listen(socket, 4)) is { } why)
        {
            error = $"{path}: {why}";
            return null;
        }

        if (DescriptorPassing.Pair(out var link, out var other) is { } unpaired)
        {
            error = unpaired.ToString();
            return null;
        }

        const int readWrite = 2;
        using (other)
        using (var nothing = Files.Open("/dev/null", readWrite, 0, out _))
        {
            ChildProcess.Failure failure = default;
            if (nothing is null || ChildProcess.Start(
                new ChildProcess.Plan
                {
                    Path = "/proc/self/fd/5",
                    Arguments = ["listend-keeper"],
                    Environment = environment,
                    Descriptors = [nothing, nothing, nothing, other!, socket, image],
                    Directory = "/",
                    NoNewPrivileges = true,
                },
                out failure) is not { } child)
            {
                link!.Dispose();
                error = $"cannot execute it: {failure.Stage}, {ErrnoNames.Name(failure.Errno)}";
                return null;
            }

            ChildProcess.Finish();
            return new FdHolder(loop, link!, child, log);
        }
    }

    /// <summary>Continues with a previous daemon's link, after execve() in the same process.</summary>
    public static FdHolder Adopt(EventLoop loop, DescriptorHandle link, ILogger log) => new(loop, link, null, log);

    /// <summary>
    /// Receives what a dead daemon's keeper holds; nothing if there is no keeper. The keeper belongs to this daemon afterwards:
    /// its link arrives as <see cref="DescriptorKey.FdHolder"/>. Waits for the answers, which take microseconds.
    /// </summary>
    public static void TakeFrom(string path, IncomingDescriptors descriptors)
    {
        if (Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixSeqpacket, path, isAbstract: false)) is not { } raw)
        {
            return;
        }

        var link = Sockets.Create(AF_UNIX, SOCK_SEQPACKET, 0, nonBlocking: false, out _);
        if (link is null || Sockets.Connect(link, raw) is not null)
        {
            link?.Dispose();
            return;
        }

        // struct timeval: if the keeper hangs, the start loses its descriptors and a limited time.
        const int socketLevel = 1, receiveTimeout = 20;
        Span<long> patience = [AnswersWithin.Seconds, 0];
        Sockets.SetBytes(link, socketLevel, receiveTimeout, System.Runtime.InteropServices.MemoryMarshal.AsBytes(patience));
        Span<byte> data = stackalloc byte[MaxPacket];
        var received = new List<DescriptorHandle>();
        while (DescriptorPassing.Receive(link, data, received, maxDescriptors: 1, wait: true, out _, out _, out _) is > 0 and var length)
        {
            if (data[0] == (byte)'O')
            {
                descriptors.Add(DescriptorKey.FdHolder, link);
                return;
            }

            var key = Encoding.UTF8.GetString(data[1..length]);
            received.ForEach(descriptor => descriptors.Add(key, descriptor));
            received.Clear();
        }

        link.Dispose();
    }

    /// <inheritdoc/>
    public int Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors)
    {
        var put = 0;
        while (put < descriptors.Count)
        {
            var keys = new string[Math.Min(descriptors.Count - put, _takesSeveral ? MostTogether : 1)];
            var riding = new DescriptorHandle[keys.Length];
            for (var i = 0; i < keys.Length; i++)
            {
                (keys[i], riding[i]) = descriptors[put + i];
            }

            if (!Send(Packet('P', keys), riding))
            {
                break;
            }

            put += keys.Length;
        }

        return put;
    }

    /// <inheritdoc/>
    public void Drop(IReadOnlyList<string> keys)
    {
        foreach (var some in keys.Chunk(_takesSeveral ? MostTogether : 1))
        {
            Send(Packet('D', some), []);
        }
    }

    /// <summary>Tells the keeper that it is not needed any more: it exits at once.</summary>
    public void Dismiss(string path)
    {
        DescriptorPassing.Send(_link, "B"u8, [], wait: false, out _);
        Files.Unlink(path);
    }

    /// <summary>
    /// Waits until the dismissed keeper has closed everything, so that the next daemon can bind the same addresses; not longer than
    /// <see cref="AnswersWithin"/>. A process closes its descriptors before its pidfd is readable (kernel/exit.c, do_exit). The keeper of
    /// a previous daemon has no pidfd here: the end of the link is about as late.
    /// </summary>
    public void AwaitEnd()
    {
        if (_process is not null)
        {
            Polling.Await(_process.Pidfd, AnswersWithin);
            return;
        }

        Span<byte> reply = stackalloc byte[MaxPacket];
        while (Polling.Await(_link, AnswersWithin)
            && DescriptorPassing.Receive(_link, reply, [], maxDescriptors: 0, wait: false, out _, out _, out _) > 0)
        {
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Unwatch(_link);
        _link.Dispose();
        _process?.Pidfd.Dispose();
        _process?.Dispose();
    }

    private void OnReadable()
    {
        Span<byte> data = stackalloc byte[MaxPacket];
        var length = DescriptorPassing.Receive(_link, data, [], maxDescriptors: 0, wait: false, out _, out _, out var error);
        if (length > 1 && data[0] == (byte)'E')
        {
            var key = Encoding.UTF8.GetString(data[1..length]);
            _log.Kind(MessageIds.KeeperRefused).Warning(
                "the keeper cannot hold {Descriptor}: the descriptor is lost if the daemon dies", key);
            Refused?.Invoke(key);
        }
        else if (length == 1 && data[0] == (byte)'V')
        {
            _takesSeveral = true;
        }
        else if (length == 0 || error is not null)
        {
            _loop.Unwatch(_link);
            if (_process?.TryGetOutcome(out var failure) == true && failure is { } step)
            {
                _log.Kind(MessageIds.KeeperFailed).Warning(
                    "cannot execute the keeper: {Stage}: {Error}", step.Stage.ToString(), ErrnoNames.Name(step.Errno));
            }

            Gone?.Invoke();
        }
    }

    /// <summary>
    /// Sends, and waits a moment for room, because a start sends thousands. A keeper that hangs delays the loop once, not for each
    /// packet.
    /// </summary>
    private bool Send(ReadOnlySpan<byte> packet, ReadOnlySpan<DescriptorHandle> riding)
    {
        while (!DescriptorPassing.Send(_link, packet, riding, wait: false, out var error))
        {
            if (error is not null || _standsStill || !Polling.Await(_link, Patience, forOutput: true))
            {
                _standsStill = error is null;
                return false;
            }
        }

        _standsStill = false;
        return true;
    }

    private static byte[] Packet(char what, string[] keys) => Encoding.UTF8.GetBytes(what + string.Join('\n', keys));
}
