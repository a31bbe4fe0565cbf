using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>Process ancestry from /proc.</summary>
internal static class ProcessTree
{
    /// <summary>Whether <paramref name="pid"/> is <paramref name="ancestor"/>, in its session, or a descendant.</summary>
    public static bool DescendsFrom(int pid, int ancestor)
    {
        for (var depth = 0; depth < 64 && pid > 1; depth++)
        {
            if (pid == ancestor)
            {
                return true;
            }

            if (ProcFile.Read(pid) is not { } process)
            {
                return false;
            }

            if (process.SessionId == ancestor)
            {
                return true;
            }

            pid = process.ParentPid;
        }

        return false;
    }

    /// <summary>Processes of a session except its leader.</summary>
    public static IEnumerable<int> MembersOf(int session)
    {
        foreach (var pid in Pids())
        {
            if (pid != session && Processes.SessionOf(pid) == session)
            {
                yield return pid;
            }
        }
    }

    private static IEnumerable<int> Pids() => Directory.EnumerateDirectories("/proc")
        .Select(path => int.TryParse(Path.GetFileName(path), out var pid) ? pid : 0).Where(pid => pid > 0);
}
