using System.Net;
using CsCheck;
using Supervisor.Core.Listeners;

namespace Supervisor.Core.Tests.Listeners;

public class ListenAddressTests
{
    private static readonly Gen<IPAddress> IPv4 = Gen.Byte.Array[4].Select(bytes => new IPAddress(bytes));
    private static readonly Gen<IPAddress> IPv6 = Gen.OneOf(Gen.Byte, Gen.Const((byte)0)).Array[16].Select(bytes => new IPAddress(bytes));
    private static readonly Gen<ListenerKind> Internet = Gen.OneOf(ListenerKind.Tcp, ListenerKind.Udp, ListenerKind.Mptcp);
    private static readonly Gen<ListenerKind> UnixKind = Gen.OneOf(
        ListenerKind.UnixStream,
        ListenerKind.UnixDatagram,
        ListenerKind.UnixSeqpacket);
    private static readonly Gen<string> Name = Gen.Char.Where(c => c != '\0').Array[1, 120].Select(chars => new string(chars));

    private static readonly Gen<ListenAddress> Addresses = Gen.OneOf(
        Gen.Select(Internet, IPv4, Gen.Int[0, 65535], (kind, host, port) => ListenAddress.Internet(kind, host, port)),
        Gen.Select(Internet, IPv6, Gen.Int[0, 65535], (kind, host, port) => ListenAddress.Internet(kind, host, port)),
        Gen.Select(
            Internet,
            IPv6,
            Gen.Int[0, 65535],
            Gen.String[Gen.Char.AlphaNumeric, 1, 15],
            (kind, host, port, scope) => ListenAddress.Internet(kind, host, port, scope)),
        Gen.Select(Internet, Gen.Int[0, 65535], ListenAddress.AnyFamily),
        Gen.Select(UnixKind, Name, (kind, name) => ListenAddress.Unix(kind, "/" + name, false)),
        Gen.Select(UnixKind, Name, (kind, name) => ListenAddress.Unix(kind, name, true)),
        Gen.Select(Gen.UInt, Gen.UInt, ListenAddress.Vsock));

    [Theory]
    [InlineData("tcp://127.0.0.1:8080", ListenerKind.Tcp, "127.0.0.1", 8080u)]
    [InlineData("udp://0.0.0.0:0", ListenerKind.Udp, "0.0.0.0", 0u)]
    [InlineData("mptcp://[::1]:65535", ListenerKind.Mptcp, "::1", 65535u)]
    [InlineData("tcp://[::]:443", ListenerKind.Tcp, "::", 443u)]
    [InlineData("tcp://[2001:DB8:0:0::1]:443", ListenerKind.Tcp, "2001:db8::1", 443u)]
    [InlineData("tcp://[::ffff:192.0.2.1]:80", ListenerKind.Tcp, "::ffff:192.0.2.1", 80u)]
    public void An_internet_address_is_parsed(string text, ListenerKind kind, string host, uint port)
    {
        var address = Parse(text);
        Assert.Equal((kind, IPAddress.Parse(host), port, null), (address.Kind, address.Host, address.Port, address.Scope));
        Assert.False(address.IsAnyFamily);
    }

    [Fact]
    public void An_any_family_address_is_parsed()
    {
        var address = Parse("tcp://*:80");
        Assert.True(address is { IsAnyFamily: true, IsWildcard: true, Host: null, Port: 80 });
        Assert.True(Parse("tcp://[::]:80").IsWildcard);
        Assert.True(Parse("udp://0.0.0.0:80").IsWildcard);
        Assert.False(Parse("tcp://127.0.0.1:80").IsWildcard);
        Assert.False(Parse("unix:///run/a.sock").IsWildcard);
    }

    [Theory]
    [InlineData("tcp://[fe80::1%eth0]:80", "eth0")]
    [InlineData("udp://[ff02::1%2]:80", "2")]
    public void Scopes(string text, string scope)
    {
        Assert.Equal(scope, Parse(text).Scope);
        Assert.Equal(text, Parse(text).ToString());
    }

    [Theory]
    [InlineData("unix:///run/api.sock", ListenerKind.UnixStream, "/run/api.sock", false)]
    [InlineData("unix-dgram:///run/log", ListenerKind.UnixDatagram, "/run/log", false)]
    [InlineData("unix-seqpacket://@bus", ListenerKind.UnixSeqpacket, "bus", true)]
    [InlineData("unix://@/org/x", ListenerKind.UnixStream, "/org/x", true)]
    [InlineData("unix:///run/a b:c", ListenerKind.UnixStream, "/run/a b:c", false)]
    public void A_unix_address_is_parsed(string text, ListenerKind kind, string path, bool isAbstract)
    {
        var address = Parse(text);
        Assert.Equal((kind, path, isAbstract), (address.Kind, address.Path, address.IsAbstract));
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("vsock://3:1024", 3u, 1024u, "vsock://3:1024")]
    [InlineData("vsock://*:1024", uint.MaxValue, 1024u, "vsock://*:1024")]
    [InlineData("vsock://any:1", uint.MaxValue, 1u, "vsock://*:1")]
    [InlineData("vsock://hypervisor:1", 0u, 1u, "vsock://0:1")]
    [InlineData("vsock://local:1", 1u, 1u, "vsock://1:1")]
    [InlineData("vsock://host:4294967295", 2u, uint.MaxValue, "vsock://2:4294967295")]
    public void A_vsock_address_is_parsed(string text, uint cid, uint port, string formatted)
    {
        var address = Parse(text);
        Assert.Equal((ListenerKind.Vsock, cid, port), (address.Kind, address.Cid, address.Port));
        Assert.Equal(formatted, address.ToString());
    }

    [Theory]
    [InlineData("8080", "write tcp://, udp://, unix://")]
    [InlineData("", "write tcp://, udp://, unix://")]
    [InlineData("http://127.0.0.1:80", "use one of tcp, udp, unix, unix-dgram, unix-seqpacket, vsock, mptcp")]
    [InlineData("TCP://127.0.0.1:80", "use one of tcp")]
    [InlineData("tcp://127.0.0.1", "write tcp://127.0.0.1:PORT, with 0 for any free port")]
    [InlineData("tcp://", "write tcp://*:PORT")]
    [InlineData("tcp://127.0.0.1:", "write a number from 1 to 65535, or 0 for any free port")]
    [InlineData("tcp://127.0.0.1:65536", "ports are 1 to 65535, and 0 means any free port")]
    [InlineData("tcp://127.0.0.1:-1", "ports are 1 to 65535")]
    [InlineData("tcp://127.0.0.1:http", "ports are 1 to 65535")]
    [InlineData("tcp://:80", "write tcp://*:80 for every address of this machine")]
    [InlineData("tcp://::1:80", "write tcp://[::1]:80")]
    [InlineData("tcp://a:b:80", "write HOST:PORT, an IPv6 address in brackets")]
    [InlineData("tcp://[::1", "write [ADDRESS]:PORT")]
    [InlineData("tcp://[::1]", "write [::1]:PORT, with 0 for any free port")]
    [InlineData("tcp://[::1]80", "write [::1]:PORT, with 0 for any free port")]
    [InlineData("tcp://[127.0.0.1]:80", "write an IPv4 address without brackets")]
    [InlineData("tcp://[fe80::1%]:80", "write [fe80::1%eth0]:80")]
    [InlineData("tcp://[[::1]:80", "is not an IPv6 address")]
    [InlineData("tcp://[::1/64]:80", "is not an IPv6 address")]
    [InlineData("tcp://[ ::1]:80", "is not an IPv6 address")]
    [InlineData("tcp://[]:80", "is not an IPv6 address")]
    [InlineData("tcp://[1::2::3]:80", "is not an IPv6 address")]
    [InlineData("tcp://[0x7f000001]:80", "is not an IPv6 address")]
    [InlineData("tcp://256.0.0.1:80", "four numbers from 0 to 255")]
    [InlineData("tcp://127.1:80", "four numbers from 0 to 255")]
    [InlineData("tcp://010.0.0.1:80", "four numbers from 0 to 255")]
    [InlineData("unix://", "write unix:///run/NAME.sock, or unix://@NAME for an abstract one")]
    [InlineData("unix://@", "write unix:///run/NAME.sock")]
    [InlineData("unix://run/a", "write unix:///run/a with the absolute path, or unix://@run/a for an abstract name")]
    [InlineData("unix:///a\0b", "cannot contain a NUL byte")]
    [InlineData("fifo://", "write fifo:///PATH")]
    [InlineData("fifo://@a", "only a UNIX socket has")]
    [InlineData("fifo://run/a", "write fifo:///run/a with the absolute path")]
    [InlineData("special:///dev/", "remove the slash")]
    [InlineData("special:///a\0b", "cannot contain a NUL byte")]
    [InlineData("mqueue://jobs", "write mqueue:///jobs")]
    [InlineData("mqueue:///", "write mqueue:///NAME")]
    [InlineData("mqueue:///a/b", "has no directories")]
    [InlineData("netlink://wifi/1", "kobject-uevent")]
    [InlineData("netlink://32/1", "a number below 32")]
    [InlineData("netlink://audit/x", "write the bits of nl_groups")]
    [InlineData("vsock://3", "write vsock://CID:PORT, with * for any CID")]
    [InlineData("vsock://x:1", "write a number, local, host or *")]
    [InlineData("vsock://3:4294967296", "a vsock port is 0 to 4294967295")]
    public void A_parse_error_names_what_to_write_instead(string text, string remedy)
    {
        Assert.False(ListenAddress.TryParse(text, out var address, out var error));
        Assert.Null(address);
        Assert.Null(error.Name);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp://localhost:80", "localhost")]
    [InlineData("udp://ns-1.example.org:53", "ns-1.example.org")]
    public void The_parser_keeps_a_host_name_for_a_resolver(string text, string name)
    {
        Assert.False(ListenAddress.TryParse(text, out _, out var error));
        Assert.Equal(name, error.Name);
    }

    [Fact]
    public void A_formatted_address_parses_to_the_same_address() =>
        Addresses.Sample(address => Assert.Equal(address, Parse(address.ToString())), iter: Iterations.Of(5_000));

    [Fact]
    public void Any_text_parses_and_round_trips_or_has_an_error()
    {
        var scheme = Gen.OneOf("tcp://", "udp://", "mptcp://", "unix://", "unix-dgram://", "unix-seqpacket://", "vsock://", "");
        var pieces = Gen.OneOf(
            "[",
            "]",
            ":",
            "%",
            "*",
            "@",
            "/",
            "::",
            "1",
            "127.0.0.1",
            "fe80::",
            "ffff",
            ".",
            "0",
            "eth0",
            "\0",
            " ",
            "80",
            "-",
            "é").Array[0, 9].Select(string.Concat);
        Gen.Select(scheme, Gen.OneOf(pieces, Gen.String), (head, tail) => head + tail).Sample(
            text =>
            {
                if (ListenAddress.TryParse(text, out var address, out var error))
                {
                    Assert.Null(error);
                    Assert.Equal(address, Parse(address.ToString()));
                }
                else
                {
                    Assert.NotEmpty(error.Message);
                }
            },
            iter: Iterations.Of(20_000));
    }

    [Fact]
    public void With_port_changes_only_the_port() => Assert.Equal(Parse("tcp://[::1]:4711"), Parse("tcp://[::1]:0").WithPort(4711));

    [Fact]
    public void The_length_of_a_path_is_measured_in_bytes()
    {
        Assert.Equal(4, Parse("unix:///aé").PathBytes);
        Assert.Equal(0, Parse("tcp://*:1").PathBytes);
        Assert.Equal(107, Parse("unix:///" + new string('a', 106)).PathBytes);
    }

    private static ListenAddress Parse(string text) =>
        ListenAddress.TryParse(text, out var address, out var error) ? address : throw new FormatException(error.Message);
}
