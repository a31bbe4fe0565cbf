using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Control;

/// <summary>The document of a refused bind, for the daemon and for <c>listenctl explain</c>.</summary>
public static class FailureDocuments
{
    /// <summary>The document of a diagnosis.</summary>
    public static FailureDocument ToDocument(this BindDiagnosis diagnosis) => new(
        diagnosis.Address,
        diagnosis.Bindable,
        diagnosis.Errno,
        diagnosis.Cause?.ToWireName(),
        diagnosis.Retry,
        [.. diagnosis.Owners
            .Select(owner => new OwnerDocument(owner.Pid, owner.Command, owner.Unit, owner.Uid, owner.Address, owner.State, owner.Inode)
            {
                Listener = owner.Listener,
                Service = owner.Service,
            })],
        diagnosis.Advice)
    {
        Verdict = diagnosis.Verdict,
        Warnings = diagnosis.Warnings,
        ClearsInMs = diagnosis.ClearsIn is { } span ? (long)span.TotalMilliseconds : null,
    };
}
