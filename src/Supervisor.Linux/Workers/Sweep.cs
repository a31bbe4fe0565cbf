using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Kills processes that are found by looking: a session's members, say.</summary>
internal static class Sweep
{
    /// <summary>
    /// SIGKILL to all whom <paramref name="members"/> finds. One that forks meanwhile is behind the sweep; after one that
    /// finds nobody new, nobody is left who could. Each is told to <paramref name="onFound"/> before, once.
    /// </summary>
    public static void Kill(Func<IEnumerable<int>> members, Action<int>? onFound = null)
    {
        var killed = new HashSet<int>();
        int before;
        do
        {
            before = killed.Count;
            foreach (var member in members().Where(killed.Add))
            {
                onFound?.Invoke(member);
                Processes.Kill(member, 9);
            }
        }
        while (killed.Count > before);
    }
}
