namespace Supervisor.EndToEnd;

/// <summary>The one deadline for everything that is waited for: generous, since only a failure ever waits that long.</summary>
internal static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
}
