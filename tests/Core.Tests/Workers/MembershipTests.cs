using Supervisor.Core.Workers;

namespace Supervisor.Core.Tests.Workers;

/// <summary>Which worker a process belongs to, by what the kernel says of it.</summary>
public class MembershipTests
{
    private const uint User = 1000;
    private static readonly string Token = new('a', 64);

    private static readonly WorkerFacts Worker = new()
    {
        Main = 100,
        MainStart = 50,
        First = 100,
        FirstStart = 50,
        Session = 100,
        MainSession = 0,
        Uid = User,
        Cgroup = null,
        Token = Token,
        IsForeign = false,
    };

    [Fact]
    public void The_main_process_is_the_worker_under_any_user()
    {
        Assert.True(Membership.IsMember(Worker, Process(User, new ProcessStep(100, 1, 100, 50))));
        Assert.True(Membership.IsMember(Worker, Process(33, new ProcessStep(100, 1, 100, 50))));
    }

    [Theory]
    [InlineData(1000u, true)]
    [InlineData(0u, false)]
    [InlineData(1001u, false)]
    public void A_descendant_with_the_workers_user_belongs_to_the_worker(uint uid, bool isMember) =>
        Assert.Equal(isMember, Membership.IsMember(
            Worker,
            Process(uid, new ProcessStep(300, 200, 300, 70), new ProcessStep(200, 100, 200, 60), new ProcessStep(100, 1, 100, 50))));

    [Fact]
    public void Only_processes_of_the_current_session_belong_to_the_worker()
    {
        Assert.True(Membership.IsMember(Worker, Process(User, new ProcessStep(300, 1, 100, 60))));
        Assert.False(Membership.IsMember(Worker, Process(User, new ProcessStep(300, 1, 100, 49))));
        Assert.False(Membership.IsMember(Worker with { Session = 0 }, Process(User, new ProcessStep(300, 1, 100, 60))));
        Assert.True(Membership.IsMember(Worker with { Session = 0, MainSession = 100 }, Process(User, new ProcessStep(300, 1, 100, 60))));
    }

    [Fact]
    public void Another_process_with_the_same_number_is_not_the_worker() =>
        Assert.False(Membership.IsMember(Worker, Process(User, new ProcessStep(100, 1, 7, 40))));

    [Fact]
    public void A_missing_session_matches_nothing() =>
        Assert.False(Membership.IsMember(Worker with { Main = 0, First = 0, Session = 0 }, Process(User, new ProcessStep(0, 0, 0, 60))));

    [Theory]
    [InlineData("/own/worker-api-1", true)]
    [InlineData("/own/worker-api-1/below", true)]
    [InlineData("/own/worker-api-10", false)]
    [InlineData("/own", false)]
    [InlineData("/other/own/worker-api-1", false)]
    [InlineData(null, false)]
    public void A_cgroup_overrides_every_other_evidence(string? cgroup, bool isMember)
    {
        var worker = Worker with { Cgroup = "/own/worker-api-1" };
        Assert.Equal(isMember, Membership.IsMember(worker, Process(User, new ProcessStep(100, 1, 100, 50)) with { Cgroup = cgroup }));
        Assert.False(Membership.IsMemberByToken(worker, Process(User, new ProcessStep(9, 1, 9, 60)) with { Cgroup = cgroup }, Token));
    }

    [Fact]
    public void A_token_is_valid_for_the_workers_user_below_the_daemon()
    {
        var orphan = Process(User, new ProcessStep(300, 1, 300, 70));
        Assert.False(Membership.IsMember(Worker, orphan));
        Assert.True(Membership.IsMemberByToken(Worker, orphan, Token));
        Assert.False(Membership.IsMemberByToken(Worker, orphan, null));
        Assert.False(Membership.IsMemberByToken(Worker, orphan, ""));
        Assert.False(Membership.IsMemberByToken(Worker, orphan, Token[..^1]));
        Assert.False(Membership.IsMemberByToken(Worker, orphan, new string('b', 64)));
        Assert.False(Membership.IsMemberByToken(Worker with { Token = "" }, orphan, ""));
        Assert.False(Membership.IsMemberByToken(Worker, orphan with { Uid = 0 }, Token));
        Assert.False(Membership.IsMemberByToken(Worker, orphan with { IsBelowDaemon = false }, Token));
        Assert.True(Membership.IsMemberByToken(Worker with { IsForeign = true }, orphan with { IsBelowDaemon = false }, Token));
    }

    [Fact]
    public void A_process_older_than_the_worker_is_not_a_descendant()
    {
        Assert.False(Membership.MayDescend(Worker, 49));
        Assert.True(Membership.MayDescend(Worker, 50));
        Assert.True(Membership.MayDescend(Worker with { FirstStart = 0 }, 1));
    }

    private static ProcessLineage Process(uint uid, params ProcessStep[] chain) => new([.. chain], uid, null, IsBelowDaemon: true);
}
