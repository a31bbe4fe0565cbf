namespace Supervisor.Core.Listeners.History;

/// <summary>The names of each enumeration for users, logs and JSON: kebab-case, as in the public interface.</summary>
public static class WireNames
{
    /// <summary>The word for a phase.</summary>
    public static string ToWireName(this HandlePhase phase) => phase switch
    {
        HandlePhase.Create => "create",
        HandlePhase.PreBind => "pre-bind",
        HandlePhase.Bind => "bind",
        HandlePhase.PreListen => "pre-listen",
        HandlePhase.Listen => "listen",
        HandlePhase.PostListen => "post-listen",
        HandlePhase.Verify => "verify",
        HandlePhase.Handoff => "handoff",
        HandlePhase.Drift => "drift",
        HandlePhase.Repair => "repair",
        HandlePhase.Adopt => "adopt",
        HandlePhase.Steer => "steer",
        HandlePhase.Close => "close",
        _ => throw new ArgumentOutOfRangeException(nameof(phase)),
    };

    /// <summary>The word for a verdict.</summary>
    public static string ToWireName(this Verdict verdict) => verdict switch
    {
        Verdict.Exact => "exact",
        Verdict.Adjusted => "adjusted",
        Verdict.Ignored => "ignored",
        Verdict.Refused => "refused",
        Verdict.Inherited => "inherited",
        Verdict.Drifted => "drifted",
        Verdict.Default => "default",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict)),
    };

    /// <summary>The word for an origin.</summary>
    public static string ToWireName(this HandleOrigin origin) => origin switch
    {
        HandleOrigin.Created => "created",
        HandleOrigin.InheritedSystemd => "inherited-systemd",
        HandleOrigin.InheritedUpgrade => "inherited-upgrade",
        HandleOrigin.Recovered => "recovered",
        HandleOrigin.Given => "given",
        _ => throw new ArgumentOutOfRangeException(nameof(origin)),
    };
}
