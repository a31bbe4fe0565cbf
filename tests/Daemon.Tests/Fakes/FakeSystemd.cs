using System.Threading.Channels;
using Microsoft.Extensions.Hosting.Systemd;

namespace Supervisor.Daemon.Tests.Fakes;

/// <summary>A service manager that keeps what it is told, except STATUS=, which is for people.</summary>
internal sealed class FakeSystemd : ISystemdNotifier
{
    private readonly Channel<string> _told = Channel.CreateUnbounded<string>();

    public bool IsEnabled => true;

    public void Notify(ServiceState state)
    {
        var line = state.ToString().Split('\n')[0];
        if (!line.StartsWith("STATUS=", StringComparison.Ordinal))
        {
            _told.Writer.TryWrite(line);
        }
    }

    /// <summary>The next thing that it is told: the first line.</summary>
    public async Task<string> NextAsync() => await _told.Reader.ReadAsync().AsTask().WaitAsync(Patience.Deadline);

    /// <summary>What it was told and nobody has read yet.</summary>
    public string[] TakeAll()
    {
        var all = new List<string>();
        while (_told.Reader.TryRead(out var one))
        {
            all.Add(one);
        }

        return [.. all];
    }
}
