namespace Supervisor.Native;

/// <summary>A step between the daemon and a worker's program: enum listend_spawn_stage of spawn.h.</summary>
public enum SpawnStage
{
    /// <summary>The program runs.</summary>
    None,

    /// <summary>clone(2).</summary>
    Clone,

    /// <summary>execveat(2) of the launcher's memory file.</summary>
    Launcher,

    /// <summary>setsid(2).</summary>
    Session,

    /// <summary>Joining the control group.</summary>
    Cgroup,

    /// <summary>prlimit(2).</summary>
    Limit,

    /// <summary>setpriority(2).</summary>
    Nice,

    /// <summary>chdir(2), with the worker's rights.</summary>
    Directory,

    /// <summary>setgroups(2).</summary>
    Groups,

    /// <summary>setresgid(2).</summary>
    Group,

    /// <summary>setresuid(2).</summary>
    User,

    /// <summary>capset(2), PR_CAP_AMBIENT.</summary>
    Capabilities,

    /// <summary>PR_SET_NO_NEW_PRIVS.</summary>
    NoNewPrivileges,

    /// <summary>rt_sigprocmask(2).</summary>
    Signals,

    /// <summary>dup3(2).</summary>
    Descriptors,

    /// <summary>execve(2).</summary>
    Exec,

    /// <summary>Finding what the generation is pinned to; the detail is a <see cref="PinKind"/>.</summary>
    Pin,
}

/// <summary>What the worker's user finds at a path that could not be executed: enum listend_exec_detail of spawn.h.</summary>
public enum ExecDetail
{
    /// <summary>Nothing.</summary>
    Absent,

    /// <summary>A file of any type except a directory.</summary>
    Present,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A name without "/" that is in none of the directories of PATH.</summary>
    NotFound,
}
