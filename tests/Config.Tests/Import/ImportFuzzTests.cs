
namespace Supervisor.Config.Tests.Import;

/// <summary>Random files of pieces that parsers stumble over: each is translated or refused, in linear time.</summary>
public sealed class ImportFuzzTests
{
    private static readonly string[] Pieces =
    [
        "[Service]\n", "[Socket]\n", "[Unit]\n", "[Install]\n", "[program:a]\n", "[fcgi-program:a]\n", "[watcher:a]\n", "[socket:a]\n",
        "[env]\n", "[env:*]\n", "[group:g]\n", "[circus]\n", "[supervisord]\n", "[]\n", "[", "]", "ExecStart=", "ExecStartPre=",
        "Environment=",
        "ListenStream=", "ListenDatagram=", "ListenSequentialPacket=", "SocketUser=", "Service=", "Sockets=", "EnvironmentFile=",
        "StateDirectory=", "Restart=", "RestartSec=", "LimitNOFILE=", "LimitNICE=", "KillSignal=", "command=", "cmd=", "args=", "socket=",
        "numprocs=", "process_name=", "environment=", "use_sockets=1\n", "host=", "port=", "path=", "umask=", "socket_owner=", "user=",
        "programs=", "stopsignal=", "/bin/a", "/", "@", "-", "+", ":", ";", " ; ", "\\;", "\\", "\\\n", "\\x4", "\\u0000",
        "\\U00110000", "%i",
        "%", "%%", "%I", "%(", "%(here)s", "%(ENV_A)s", "%(process_num)02d", "$A", "${A}", "${", "$", "$$", "$(", "$(circus.sockets.a)",
        "((circus.wid))", "$(circus.env.A)", "\"", "'", "A=b", "=", "=x", " ", "\t", "\n", "\r\n", "\u0001", "\u0085", "\uFEFF", "\uFFFD",
        "\uD800", "\U0001F600", "é", "#c\n", "; c\n", "80", "127.0.0.1:80", "[::1]:80%e", "/run/a.sock", "vsock::1", "@abs",
        "tcp://", "unix://",
        "tcp://localhost:1", "infinity", "99999999999999999999", "-1", "0x", "1min 3", "yes", "no",
    ];

    private static readonly string[] Sections = [.. Pieces.Where(piece => piece.EndsWith("]\n", StringComparison.Ordinal))];

    private static readonly string[] Keys = [.. Pieces.Where(piece => piece.Length > 2 && piece.EndsWith('='))];

    private static readonly string[] Names =
    [
        "a.service", "a@.service", "a@i.service", "a.socket", "a@.socket", "s.conf", "c.ini", "a.service.d/x.conf", "a-.socket.d/y.conf",
        "x.container",
    ];

    [Fact]
    public void Every_input_is_translated_or_refused()
    {
        var random = new Random(15);
        for (var i = 0; i < 4000; i++)
        {
            var files = Enumerable.Range(0, random.Next(1, 4)).SelectMany(_ => new[] { Pick(random, Names), Text(random) }).ToArray();
            var result = Imported.Translate(files);
            Assert.True(result.Toml is not null || result.Errors.Length == 1, string.Join('|', files));
            if (result.Toml is { } toml)
            {
                _ = Parsing.Good(toml);
            }
        }
    }

    [Theory]
    [InlineData("a.service", "[Service]\nExecStart=/a ", "${")]
    [InlineData("a.service", "[Service]\nExecStart=/a\n", "Bogus=1\n")]
    [InlineData("a.service", "[Service]\nExecStart=/a\n", "EnvironmentFile=/a\n")]
    [InlineData("a.service", "[Service]\nExecStart=/a \\\n", " x \\\n")]
    [InlineData("a.socket", "[Socket]\n", "ListenStream=80\n")]
    [InlineData("s.conf", "[program:a]\ncommand=/a\nenvironment=A=\"b\",\n", "  B=\"c\",\n")]
    [InlineData("c.ini", "[watcher:a]\ncmd=/a\n", "k=v\n")]
    public void A_hundred_thousand_lines_take_seconds(string name, string begin, string line)
    {
        var started = TimeProvider.System.GetTimestamp();
        _ = Imported.Translate(name, begin + string.Concat(Enumerable.Repeat(line, 100_000)));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }

    /// <summary>Mostly lines that are settings, so that the values are reached.</summary>
    private static string Text(Random random) => string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => random.Next(4) switch
    {
        0 => Pick(random, Pieces),
        1 => "\n" + Pick(random, Sections),
        _ => Pick(random, Keys) + string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => Pick(random, Pieces))) + "\n",
    }));

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];
}
