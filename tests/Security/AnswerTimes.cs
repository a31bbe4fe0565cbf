using System.Globalization;
using Supervisor.EndToEnd;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>
/// The independent client (attacks/answer-time.c): asks the daemon for its status every 10 ms, from before an attack until
/// after it. No answer may take more than <see cref="LongestAllowed"/>, and none may be missing.
/// </summary>
internal sealed class AnswerTimes : IAsyncDisposable
{
    /// <summary>The longest time that an answer may take, whatever is going on.</summary>
    public static readonly TimeSpan LongestAllowed = TimeSpan.FromMilliseconds(250);

    private readonly RunningProgram _client;

    private AnswerTimes(RunningProgram client) => _client = client;

    /// <summary>Begins; returns when the first answer has come.</summary>
    public static async Task<AnswerTimes> StartAsync(DaemonUnderTest daemon)
    {
        var client = RunningProgram.Start(
            Attack.Program("answer-time"),
            [daemon.ControlSocket, daemon.Pid.ToString(CultureInfo.InvariantCulture)]);
        await client.Output.WaitAsync(0, "measuring");
        return new AnswerTimes(client);
    }

    /// <summary>Ends it; fails where an answer was late or missing.</summary>
    public async Task AssertAsync(ITestOutputHelper output)
    {
        _client.Signal(Signals.Terminate);
        await _client.WaitAsync();
        var line = await _client.Output.WaitAsync(0, "answers ");
        output.WriteLine($"the independent client: {line}");
        var words = line.Split(' ');

        // What a busy host adds is not the daemon's: the time in which its loop, a thread that serves HTTP, or the client, was ready
        // and had no processor.
        var longest = TimeSpan.FromMicroseconds(
            Number("longest-us") - Number("client-waited-us") - Number("daemon-waited-us") - Number("pool-waited-us"));
        Assert.True(Number("failed") == 0, $"requests to the control socket failed: {line}");
        Assert.True(longest <= LongestAllowed, $"an answer took {longest.TotalMilliseconds} ms, without what the host added: {line}");

        long Number(string name) => long.Parse(words[Array.IndexOf(words, name) + 1], NumberStyles.None, CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
