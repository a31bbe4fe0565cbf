using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>setsockopt() of a catalogue row, read back and recorded.</summary>
internal static class OptionSteps
{
    /// <summary>
    /// Sets an option, or its fallback if the kernel refuses it. A refusal is a failure of the listener only if the option
    /// decides who owns the address; otherwise it is recorded, and null comes back.
    /// </summary>
    public static SystemCallFailure? Set(SocketTarget target, SetOptionStep step)
    {
        var error = OptionAccess.Set(target.Descriptor, step.Option, step.Value);
        var effective = OptionAccess.Get(target.Descriptor, step.Option);
        var verdict = error is null ? ReadBack.Compare(step.Option, step.Value, effective) : Verdict.Refused;
        var bound = step.Option.BoundedBy is { } sysctl && verdict != Verdict.Exact ? Sysctl.ReadNumber(sysctl) : null;
        var note = error is { } refused ? Advice(step, refused)
            : ReadBack.Explain(step.Option, step.Value, effective, bound)
                ?? (step.Option == SocketOptions.FastOpen ? FastOpenSwitch() : null);
        target.History.Add(step.Phase, "setsockopt", step.Option.Name, step.Value, effective, error?.Name, verdict, note);
        target.Handle.Asked.Remember(step.Option, step.Value, effective, verdict);
        if (error is null)
        {
            return null;
        }

        if (step.Option.AffectsBindOwnership)
        {
            return error.Value.With($"{step.Option.LevelName}, {step.Option.Name}, {step.Value}");
        }

        return step.Fallback is null ? null : Set(target, step.Fallback);
    }

    /// <summary>Reads the options back that bind() changes; a value that the kernel chose is adjusted, not drifted.</summary>
    public static void ReadAfterBind(SocketTarget target)
    {
        foreach (var (option, requested, before, verdict) in target.Handle.Asked.All
            .Where(asked => asked.Option.ChangedByBind && asked.Verdict != Verdict.Refused).ToArray())
        {
            if (OptionAccess.Get(target.Descriptor, option) is not { } effective || effective == before)
            {
                continue;
            }

            var now = verdict == Verdict.Inherited ? verdict : requested == effective ? Verdict.Exact : Verdict.Adjusted;
            target.History.Add(
                HandlePhase.Verify, "getsockopt", option.Name, requested, effective, verdict: now,
                note: "set by bind(): a concrete IPv6 address has no IPv4 side");
            target.Handle.Asked.Remember(option, requested, effective, now);
        }
    }

    private static string Advice(SetOptionStep step, SystemCallError error) => error.Name switch
    {
        "EPERM" when step.Option.Setting == "options" => $"not permitted: {step.Option.Name} needs a capability, see capabilities(7)",
        "EPERM" => $"not permitted: {step.Option.Setting} needs {Capability(step.Option)}",
        "ENOPROTOOPT" or "EOPNOTSUPP" when step.Option.Setting == "options" =>
            $"this kernel has no option {step.Option.Name} of level {step.Option.LevelName} for such a socket: remove it from options",
        "ENOPROTOOPT" or "EOPNOTSUPP" => $"this kernel has no {step.Option.Name} for such a socket: leave out {step.Option.Setting}",
        "ENOENT" when step.Option == SocketOptions.Congestion =>
            "unknown congestion control: net.ipv4.tcp_available_congestion_control = "
            + $"{Sysctl.Read("net.ipv4.tcp_available_congestion_control")}",
        "ENODEV" => $"no interface \"{step.Value}\" in this network namespace",
        _ => $"{error.Text}: see {step.Option.Setting}",
    };

    private static string Capability(SocketOption option) =>
        option == SocketOptions.Congestion ? "CAP_NET_ADMIN for a congestion control outside net.ipv4.tcp_allowed_congestion_control"
        : option == SocketOptions.BindToDevice ? "CAP_NET_RAW"
        : "CAP_NET_ADMIN";

    /// <summary>
    /// The queue exists, but bit 2 of the sysctl decides whether a server may use it (net/ipv4/tcp_fastopen.c,
    /// tcp_try_fastopen).
    /// </summary>
    private static string? FastOpenSwitch() => Sysctl.ReadNumber("net.ipv4.tcp_fastopen") is { } value && (value & 2) == 0
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"TCP Fast Open is off for servers (net.ipv4.tcp_fastopen = {value}): set bit 2, ")
            + string.Create(CultureInfo.InvariantCulture, $"for example sysctl -w net.ipv4.tcp_fastopen={value | 2}")
        : null;
}
