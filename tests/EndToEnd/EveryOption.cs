using System.Net.Sockets;

namespace Supervisor.EndToEnd;

/// <summary>A configuration with every address form and every socket option.</summary>
internal static class EveryOption
{
    /// <summary>Listeners for every host with IPv6.</summary>
    public const string Listeners = """
        [listener.tcp4]
        address = "tcp://127.0.0.1:0"
        bind = { reuse_address = true, reuse_port = true, free_bind = true, transparent = true, device = "lo", mark = 7 }
        buffers = { receive = "100KiB", send = 70000 }
        listen = { backlog = 100000, defer_accept = "10s", fast_open = 256, non_blocking = false }

        [listener.tcp4.accepted]
        no_delay = true
        keep_alive = true
        keep_alive_idle = "60s"
        keep_alive_interval = "10s"
        keep_alive_probes = 6
        user_timeout = "30s"
        linger = "0s"
        not_sent_low_water = 16384
        congestion = "reno"
        tos = 19
        ttl = 65

        [listener.tcp6]
        address = "tcp://[::1]:0"
        bind = { reuse_address = false, ipv6_only = true, free_bind = true, transparent = true, device = "lo", mark = 4294967295 }
        buffers = { receive = "64MiB", send = "64MiB", force = true }
        listen = { backlog = 1, non_blocking = true }
        accepted = { no_delay = false, keep_alive = false, linger = "7s", tos = 32, ttl = 66, user_timeout = "0s" }

        [listener.dual]
        address = "tcp://[::]:0"
        buffers = { receive = "64MiB", send = "64MiB" }
        accepted = { no_delay = true, tos = 8, ttl = 67, congestion = "cubic" }

        [listener.any]
        address = "tcp://*:0"

        [listener.udp4]
        address = "udp://0.0.0.0:0"
        bind = { reuse_address = true, device = "lo" }
        buffers = { receive = "1MiB" }
        datagram = { broadcast = true, packet_info = true, multicast = [ { group = "239.1.2.3", interface = "lo" }, { group = "232.1.2.4", interface = "lo", source = "192.0.2.1" } ] }

        [listener.udp6]
        address = "udp://[::]:0"
        bind = { ipv6_only = false }
        datagram = { packet_info = true, multicast = [ { group = "ff02::1:3", interface = "lo" } ] }

        [listener.path]
        address = "unix://@dir@/path.sock"
        unix = { mode = "0620", user = "nobody", group = "nogroup", remove_stale = true, pass_credentials = true }
        buffers = { send = 9000 }
        listen = { backlog = 17 }

        [listener.abstract]
        address = "unix://@listend-test-@name@"
        bind = { mark = 3 }

        [listener.datagram]
        address = "unix-dgram://@dir@/datagram.sock"
        unix = { mode = "0777" }

        [listener.packet]
        address = "unix-seqpacket://@dir@/packet.sock"
        unix = { mode = "0600", pass_credentials = false }
        """;

    /// <summary>Options that need a capability, on listeners that work without them.</summary>
    public const string Privileged = """
        [listener.forced]
        address = "tcp://127.0.0.1:0"
        bind = { mark = 5 }
        buffers = { receive = "64MiB", send = "64MiB", force = true }

        [listener.owned]
        address = "unix://@dir@/owned.sock"
        unix = { user = "nobody" }
        """;

    /// <summary>Listeners that this kernel may not support, and some that no kernel supports.</summary>
    public const string Refused = """
        [listener.mptcp]
        address = "mptcp://127.0.0.1:0"
        accepted = { no_delay = true, keep_alive_idle = "60s" }

        [listener.vsock]
        address = "vsock://any:4294967295"

        [listener.taken]
        address = "tcp://127.0.0.1:@taken@"
        accepted = { no_delay = true }

        [listener.absent]
        address = "tcp://192.0.2.1:0"
        bind = { mark = 9 }

        [listener.nowhere]
        address = "unix://@dir@/no/such/directory.sock"
        unix = { mode = "0600" }

        [listener.occupied]
        address = "unix://@dir@/file"
        unix = { remove_stale = true }

        [listener.device]
        address = "tcp://127.0.0.1:0"
        bind = { device = "nosuch0" }

        [listener.congestion]
        address = "tcp://127.0.0.1:0"
        accepted = { congestion = "nosuch" }

        [listener.group]
        address = "udp://0.0.0.0:0"
        datagram = { multicast = [ { group = "239.1.2.3", interface = "nosuch0" } ] }
        """;

    /// <summary>A stale socket file, and a file that is not a socket.</summary>
    public static void Prepare(TemporaryDirectory directory)
    {
        directory.Write("file", "");
        using var stale = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        stale.Bind(new UnixDomainSocketEndPoint(directory["live"]));
        stale.Listen();

        // The runtime unlinks its path at the close, but a killed process does not.
        File.Move(directory["live"], directory["path.sock"]);
    }
}
