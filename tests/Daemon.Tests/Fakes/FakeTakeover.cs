using Supervisor.Daemon.Continuity;
using Supervisor.Linux.Handoff;
using Supervisor.Native;

namespace Supervisor.Daemon.Tests.Fakes;

/// <summary>A take-over whose steps end as the test says.</summary>
internal sealed class FakeTakeover : ITakeoverSystem
{
    public string? Obstacle { get; set; }

    public string? SendFailure { get; set; }

    public string? CommitFailure { get; set; }

    public List<string> Steps { get; } = [];

    public string? Objection(BrokerPeer peer) => Obstacle;

    public string? Send(DescriptorHandle link)
    {
        Steps.Add("send");
        return SendFailure;
    }

    public string? AwaitCommit(DescriptorHandle link)
    {
        Steps.Add("await commit");
        return CommitFailure;
    }

    public void Exit() => Steps.Add("exit");
}
