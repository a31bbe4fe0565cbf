namespace Supervisor.Native;

/// <summary>The launcher's numbers, in order: enum listend_number of spawn.h.</summary>
internal enum LaunchNumber
{
    Status,
    Cgroup,
    Limits,
    Nice,
    Umask,
    Bounds,
    Groups,
    Gid,
    Uid,
    Ambient,
    NoNewPrivileges,
    IgnoreSigpipe,
    PidVariables,
    Given,
    Report,
    ScriptArgument,
    Pins,
    Count = Pins + 12,
}
