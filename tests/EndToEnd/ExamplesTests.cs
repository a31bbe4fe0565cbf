using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd;

/// <summary>
/// Runs every folder of packaging/examples: the real program takes its listener by its own hand-off and is restarted twice
/// under load. An example exits with 0 only if several processes have answered all requests.
/// </summary>
public sealed class ExamplesTests(ITestOutputHelper output)
{
    private static readonly string Folder = Published.Examples;

    private static readonly string[] All = [.. Directory.GetFiles(Folder, "run", SearchOption.AllDirectories)
        .Select(run => Path.GetFileName(Path.GetDirectoryName(run)!))
        .Order(StringComparer.Ordinal)];

    public static TheoryData<string> Names => [.. All];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_example_runs_through_restarts(string name)
    {
        var result = await RunningProgram.RunAsync(
            Path.Combine(Folder, name, "run"), [],
            new Dictionary<string, string?>
            {
                ["LISTEND_BIN"] = Path.GetDirectoryName(Published.Listend),
                ["LISTEND_EXAMPLE_SETTLE"] = "100ms",
                ["NOTIFY_SOCKET"] = null,
                ["LISTEN_FDS"] = null,
            });
        output.WriteLine(result.Output);
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}\n{result.Output}\n{result.Error}");
    }

    [Fact]
    public void There_is_an_example_for_each_protocol() => Assert.Equal(
        [
            "caddy", "client", "einhorn", "go", "gunicorn", "haproxy", "kestrel", "nginx", "node", "php-cgi", "php-fpm", "puma", "python",
            "rust", "scm-rights", "seqpacket", "starlet", "udp", "uvicorn",
        ],
        All);
}
