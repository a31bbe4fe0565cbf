namespace Supervisor.Daemon.Tests.Fakes;

/// <summary>How long a test waits for what has to happen.</summary>
internal static class Patience
{
    /// <summary>One generous deadline: a host can be busy.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
}
