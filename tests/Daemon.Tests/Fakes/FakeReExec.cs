using Supervisor.Core;
using Supervisor.Daemon.Continuity;
using Supervisor.Linux.Continuity;

namespace Supervisor.Daemon.Tests.Fakes;

/// <summary>An executable and a kernel that answer as the test says.</summary>
internal sealed class FakeReExec : IReExecSystem
{
    public string Path => "/usr/bin/listend";

    public (ulong Device, ulong Inode) Identity { get; set; } = (1, 1);

    public Func<string?> Check { get; set; } = () => null;

    /// <summary>What the executable answers to a state.</summary>
    public Func<byte[], TrialResult> Answer { get; set; } = state =>
        new TrialResult(null, new StateVerdict("2.0.0", 1, StateVerdict.DigestOf(state, null)).ToJson(), "");

    public int Executed { get; private set; }

    public bool HasDraft { get; private set; }

    public string? CheckExecutable() => Check();

    public void Preflight(Action<TrialResult, Func<StateVerdict, bool>> onResult)
    {
        byte[] state = [1, 2, 3];
        HasDraft = true;
        onResult(Answer(state), verdict => verdict.IsOf(Checksum.Of(state), () => state));
    }

    public string Execute()
    {
        Executed++;
        return "execve: ENOENT";
    }

    public void Discard() => HasDraft = false;
}
