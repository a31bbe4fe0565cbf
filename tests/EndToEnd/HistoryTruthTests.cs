using System.Net;
using System.Net.Sockets;
using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The history of every listener equals strace's record, call for call.</summary>
public sealed class HistoryTruthTests
{
    private static readonly string[] Capabilities = ["--bounding-set", "-net_admin,-net_raw,-chown"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_history_of_each_listener_matches_the_system_calls(bool privileged)
    {
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        holder.Listen();
        string[] strace = [Needs.Program("strace", "strace"), "-ff", "-s", "600", "-e", "trace=" + Strace.Calls, "-o", "@dir@/trace"];
        var config = $"""
            {EveryOption.Listeners}
            {EveryOption.Privileged}
            {EveryOption.Refused}
            [service.w]
            command = ["/bin/sleep", "1000"]
            listeners = ["any"]
            ready = "started"
            """
            .Replace("@taken@", $"{((IPEndPoint)holder.LocalEndPoint!).Port}", StringComparison.Ordinal)
            .Replace("@name@", $"{Environment.ProcessId}", StringComparison.Ordinal);
        var options = new DaemonOptions
        {
            Wrapper = privileged ? strace : [Needs.Program("setpriv", "util-linux"), .. Capabilities, .. strace],
            WrapperStays = true,
        };
        await DaemonUnderTest.WithAsync(
            config,
            async daemon =>
            {
                await daemon.WaitUntilReadyAsync("w");
                var listeners = await daemon.ListenersAsync();
                var configured = config.Split('\n').Count(line =>
                    line.StartsWith("[listener.", StringComparison.Ordinal) && !line.Contains(".accepted", StringComparison.Ordinal));
                Assert.Equal(configured, listeners.Count);
                var histories = new List<IReadOnlyList<HistoryEntryDocument>>();
                foreach (var listener in listeners)
                {
                    histories.Add(await daemon.HistoryAsync(listener.Name));
                }

                await daemon.LeaveAsync();
                var sockets = Strace.Sockets(await File.ReadAllLinesAsync(daemon.Directory[$"trace.{daemon.Pid}"]))
                    .Where(calls =>
                        !calls.Any(one => one.Call == "bind" && one.Value!.StartsWith(daemon.Runtime, StringComparison.Ordinal)))
                    .ToArray();

                // The request for the listeners asks again why some of them cannot be bound, with sockets of its own.
                Assert.InRange(sockets.Length, listeners.Count, 2 * listeners.Count);
                for (var i = 0; i < listeners.Count; i++)
                {
                    // if_nametoindex() calls ioctl() on its own socket; rtnetlink says that an interface is missing.
                    var told = histories[i]
                        .Where(entry => entry.Phase != "handoff" && entry.Call is not ("if_nametoindex" or "rtnetlink"))
                        .Select(Entry).ToList();
                    var seen = sockets[i].Select(call => call.Call == "socket" ? call with { Value = null } : call).ToList();

                    // Open listeners were closed after the history was read. Others are closed by a thread of its own if that can
                    // block, so this thread's close() of the same number may be that of a later file.
                    seen.RemoveAll(call => call.Call == "close");
                    if (listeners[i].Fd is not null)
                    {
                        var last = seen.FindIndex(call => call.Call == "getsockname");
                        seen.RemoveRange(last + 1, seen.Count - last - 1);
                    }
                    else
                    {
                        // Whether a failed bind() left a name is read, which shapes nothing.
                        seen.RemoveAll(call => call.Call == "getsockname");
                        Assert.Equal("close", told[^1].Call);
                        told.RemoveAt(told.Count - 1);
                    }

                    Assert.Equal(Text(listeners[i], seen), Text(listeners[i], told));
                    AssertSocket(sockets[i][0].Value!, histories[i][0].Note!);
                    Assert.Equal(
                        Enumerable.Range(1, histories[i].Count).Select(number => (long)number),
                        histories[i].Select(entry => entry.Seq));
                    var shaping = histories[i].Where(entry => entry.Call != "rtnetlink").ToList();
                    Assert.All(shaping, entry => Assert.Equal(entry.Errno is not null, entry.Verdict == "refused"));
                    Assert.All(shaping.Where(entry => entry.Phase != "handoff"), entry => Assert.Equal(daemon.Pid, entry.Actor!.Pid));
                }

                // Without the capability the kernel refuses options, and the history shows it.
                if (!privileged)
                {
                    var forced = histories[listeners.ToList().FindIndex(one => one.Name == "forced")];
                    Assert.Contains(forced, entry => entry is { Option: "SO_RCVBUFFORCE", Errno: "EPERM", Verdict: "refused" }
                        && entry.Note!.Contains("CAP_NET_ADMIN", StringComparison.Ordinal));
                    Assert.Equal("EPERM", listeners.Single(one => one.Name == "tcp4").Failure!.Errno);
                }
            },
            options,
            directory =>
            {
                EveryOption.Prepare(directory);
                File.SetUnixFileMode(
                    directory.Path,
                    File.GetUnixFileMode(directory.Path) | UnixFileMode.OtherWrite | UnixFileMode.StickyBit);
            });
    }

    // One string, so a difference is shown with its context.
    private static string Text(ListenerDocument listener, IEnumerable<TracedCall> calls) => $"{listener.Name}\n{string.Join('\n', calls)}";

    private static TracedCall Entry(HistoryEntryDocument entry) => entry.Call switch
    {
        "setsockopt" => new TracedCall(entry.Call)
        {
            Option = entry.Option,
            Value = entry.Requested?.ToString(),
            Effective = entry.Option!.StartsWith("MCAST_", StringComparison.Ordinal) ? null : entry.Effective?.ToString(),
            Errno = entry.Errno,
        },
        "bind" => new TracedCall(entry.Call) { Value = Address(entry.Effective ?? entry.Requested), Errno = entry.Errno },
        "listen" or "fchmod" or "chmod" => new TracedCall(entry.Call) { Value = entry.Requested?.ToString(), Errno = entry.Errno },
        "unlinkat" or "fchownat" => new TracedCall(entry.Call) { Errno = entry.Errno },
        _ => new TracedCall(entry.Call) { Errno = entry.Errno },
    };

    private static string Address(ScalarValue? address)
    {
        var text = address.ToString()!;
        return text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..];
    }

    private static void AssertSocket(string arguments, string note)
    {
        var (domain, type, protocol) = arguments.Split(", ") is [var d, var t, var p]
            ? (d, t.Split('|'), p)
            : throw new FormatException(arguments);
        Assert.Contains("SOCK_CLOEXEC", type);
        Assert.Contains($"{domain}, {type[0]}", note, StringComparison.Ordinal);
        Assert.Equal(type.Contains("SOCK_NONBLOCK"), note.Contains("O_NONBLOCK", StringComparison.Ordinal));
        Assert.Equal(protocol == "IPPROTO_MPTCP", note.Contains("IPPROTO_MPTCP", StringComparison.Ordinal));
    }
}
