using System.Text;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// systemd's descriptor store (sd_notify(3), FDSTORE=1): LISTEN_FDS passes its content to the next process of the
/// unit. FDPOLL=0, because a listener or a pipe that hangs up is still needed. Needs FileDescriptorStoreMax= in the unit.
/// </summary>
public sealed class SystemdStore : IDescriptorHolder, IDisposable
{
    private readonly DescriptorHandle _socket;

    private SystemdStore(DescriptorHandle socket) => _socket = socket;

    /// <summary>The store behind NOTIFY_SOCKET; null if systemd did not start this process.</summary>
    public static SystemdStore? FromEnvironment()
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } path
            || Environment.GetEnvironmentVariable("INVOCATION_ID") is null
            || Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixDatagram, path.TrimStart('@'), path[0] == '@')) is not { } raw)
        {
            return null;
        }

        var socket = Sockets.Create(AF_UNIX, SOCK_DGRAM, 0, nonBlocking: false, out _);
        if (socket is null || Sockets.Connect(socket, raw) is not null)
        {
            socket?.Dispose();
            return null;
        }

        return new SystemdStore(socket);
    }

    /// <inheritdoc/>
    public int Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors)
    {
        for (var i = 0; i < descriptors.Count; i++)
        {
            // A second descriptor of the same name does not replace the first.
            var (key, descriptor) = descriptors[i];
            Drop(key);
            var data = Encoding.UTF8.GetBytes($"FDSTORE=1\nFDPOLL=0\nFDNAME={key}");
            if (!DescriptorPassing.Send(_socket, data, [descriptor], wait: false, out _))
            {
                return i;
            }
        }

        return descriptors.Count;
    }

    /// <inheritdoc/>
    public void Drop(IReadOnlyList<string> keys)
    {
        foreach (var key in keys)
        {
            Drop(key);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private void Drop(string key) =>
        DescriptorPassing.Send(_socket, Encoding.UTF8.GetBytes($"FDSTOREREMOVE=1\nFDNAME={key}"), [], wait: false, out _);
}
