namespace Supervisor.EndToEnd;

/// <summary>The deadline of every wait. It is long, because only a failure waits for it.</summary>
internal static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
}
