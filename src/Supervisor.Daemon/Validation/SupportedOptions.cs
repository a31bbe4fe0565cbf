using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Validation;

/// <summary>
/// Rule: this kernel has each element of <c>options</c> for sockets of the listener's kind. It is set on a socket that is closed at once,
/// because no list says which kinds have an option: SO_ZEROCOPY is not one of UNIX sockets, and MPTCP has a part of TCP's options. A
/// warning, because a listener works without it, and another kernel may have it.
/// </summary>
internal static class SupportedOptions
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config) =>
        from listener in config.Readable.Listeners
        where listener.Address.Kind.IsSocket() && listener.Address.Kind != ListenerKind.Other
        from element in Enumerable.Range(0, listener.Options.Length)
        let option = listener.Options[element]
        let row = option.Row()
        where row is not null
        let refusal = Refusal(listener, row, option.Value())
        where refusal is not null
        select config.Places.Diagnostic(
            "listener", listener.Name, "options",
            $"this kernel refuses {row.Name} on {listener.Address.Kind.Scheme()}:// sockets: {refusal}",
            "remove this element of options, or change the address", element) with
        { IsWarning = true };

    /// <summary>The error for sockets of every family that the listener may have; null if one of them has the option.</summary>
    private static string? Refusal(ListenerSpec spec, SocketOption row, OptionValue value)
    {
        string? refusal = null;
        foreach (var domain in ListenerPlan.Domains(spec.Address))
        {
            // Other rules know levels that the listener does not have.
            if (OptionLevelKinds.IsRefused(row.Level, spec.Address.Kind, domain))
            {
                continue;
            }

            using var socket = ListenerSockets.Open(new CreateStep(spec.Address.Kind, domain, NonBlocking: true), out _);
            if (socket is null || OptionAccess.Set(socket, row, value) is not { Name: "ENOPROTOOPT" or "EOPNOTSUPP" } refused)
            {
                return null;
            }

            refusal = $"{refused.Name} ({refused.Text})";
        }

        return refusal;
    }
}
