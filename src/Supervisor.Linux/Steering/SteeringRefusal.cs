using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Steering;

/// <summary>Why the kernel does not steer, in words that name what is missing.</summary>
internal static class SteeringRefusal
{
    /// <summary>The reason for a refused bpf(2).</summary>
    /// <param name="error">The refused call.</param>
    /// <param name="log">What the verifier said; null if it said nothing.</param>
    public static string Explain(SystemCallError error, string? log) => error.Name switch
    {
        "EPERM" => $"bpf: EPERM: {Permission()}",
        "ENOSYS" => OwnRights.IsFiltered
            ? "bpf: ENOSYS: a seccomp filter hides bpf(2): permit it in the profile of the container or the unit"
            : "bpf: ENOSYS: this kernel has no bpf(2), or a seccomp filter hides it",
        "EINVAL" or "EACCES" => $"bpf: {error.Name}: this kernel does not know the program, which needs Linux 5.14"
            + (log is null ? "" : $": {LastLine(log)}"),
        "ENOMEM" => "bpf: ENOMEM: no kernel memory for the table of flows",
        _ => error.ToString(),
    };

    private static string Permission() => !OwnRights.MayLoadPrograms ? "CAP_BPF is missing"
        : OwnRights.IsFiltered ? "a seccomp filter refuses bpf(2): permit it in the profile of the container or the unit"
        : "CAP_BPF of a user namespace is not enough";

    /// <summary>The verifier ends with the reason, and then with its statistics.</summary>
    private static string LastLine(string log) =>
        log.Split('\n').LastOrDefault(line => line.Length > 0 && !line.StartsWith("processed ", StringComparison.Ordinal)) ?? log;
}
