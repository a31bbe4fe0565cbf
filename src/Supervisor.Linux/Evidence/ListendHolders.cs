using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Asks each listend that holds a conflicting socket which listener that is, and which services use it: over the control socket
/// that the process has. The kernel says which process holds which socket, so another program cannot name a listener here.
/// </summary>
internal static class ListendHolders
{
    private const string ControlSocket = "/control.sock";
    private const int MaxAnswer = 64 * 1024 * 1024;

    /// <summary>Adds the listener and its services to each holder that a listend has, as far as that daemon answers in time.</summary>
    public static List<SocketHolder> Name(List<SocketHolder> holders, long until)
    {
        var daemons = holders.SelectMany(holder => holder.Processes)
            .Where(process => process.IsListend && process.Pid != Processes.CurrentPid)
            .Select(process => process.Pid).Distinct().ToArray();
        if (daemons.Length == 0 || Stopwatch.GetTimestamp() > until)
        {
            return holders;
        }

        var sockets = ControlSockets();
        var named = new Dictionary<ulong, (string Listener, string[] Services)>();
        foreach (var pid in daemons)
        {
            var found = new List<OpenFiles.Found>();
            OpenFiles.FindSocketsOf(pid, sockets.Keys.ToHashSet(), found, until);
            foreach (var path in found.Select(one => sockets[one.Inode]).Distinct())
            {
                Read(path, named);
            }
        }

        return holders.ConvertAll(holder => named.TryGetValue(holder.Inode, out var known)
            ? holder with { Listener = known.Listener, Services = [.. known.Services] }
            : holder);
    }

    /// <summary>The listening control sockets of this network namespace, by inode.</summary>
    private static Dictionary<ulong, string> ControlSockets()
    {
        var sockets = new Dictionary<ulong, string>();
        try
        {
            foreach (var line in File.ReadLines("/proc/net/unix").Where(line => line.EndsWith(ControlSocket, StringComparison.Ordinal)))
            {
                if (line.Split(' ', 8, StringSplitOptions.RemoveEmptyEntries) is [_, _, _, _, _, _, { } inode, { } path]
                    && ulong.TryParse(inode, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    sockets[number] = path;
                }
            }
        }
        catch (IOException)
        {
            // Nothing can be asked.
        }

        return sockets;
    }

    private static void Read(string path, Dictionary<ulong, (string, string[])> named)
    {
        if (Ask(path) is not { } answer)
        {
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(answer);
            foreach (var listener in document.RootElement.EnumerateArray())
            {
                var name = listener.GetProperty("name").GetString()!;
                string[] services = listener.TryGetProperty("services", out var users)
                    ? [.. users.EnumerateArray().Select(user => user.GetString()!)]
                    : [];
                foreach (var socket in listener.GetProperty("sockets").EnumerateArray())
                {
                    named[socket.GetProperty("inode").GetUInt64()] = (name, services);
                }
            }
        }
        catch (Exception unread) when (unread is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            // A daemon of another version: the socket is shown as that process's.
        }
    }

    /// <summary>The body of GET /v1/listeners; null without an answer. HTTP/1.0, so the answer ends with the connection.</summary>
    private static string? Ask(string path)
    {
        if (Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixStream, path, isAbstract: false)) is not { } raw)
        {
            return null;
        }

        using var socket = Sockets.Create(AF_UNIX, SOCK_STREAM, 0, nonBlocking: false, out _);

        // struct timeval: two seconds.
        Span<byte> patience = stackalloc byte[16];
        patience.Clear();
        patience[0] = 2;
        if (socket is null || Sockets.SetBytes(socket, SOL_SOCKET, SO_RCVTIMEO, patience) is not null
            || Sockets.Connect(socket, raw) is not null
            || Sockets.Send(socket, "GET /v1/listeners HTTP/1.0\r\nHost: localhost\r\n\r\n"u8) is not null)
        {
            return null;
        }

        using var answer = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (answer.Length < MaxAnswer && Files.Read(socket, buffer, out _) is var length and > 0)
        {
            answer.Write(buffer, 0, length);
        }

        var text = Encoding.UTF8.GetString(answer.GetBuffer(), 0, (int)answer.Length);
        var body = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return body > 0 && text.StartsWith("HTTP/1.", StringComparison.Ordinal) && text[..body].Contains(" 200 ", StringComparison.Ordinal)
            ? text[(body + 4)..]
            : null;
    }
}
