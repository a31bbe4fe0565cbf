namespace Supervisor.Config.Import;

/// <summary>What a translation does to a setting that it cannot write as it was.</summary>
public enum DifferenceKind
{
    /// <summary>The configuration does not have it, and something that it did is missing.</summary>
    Lost,

    /// <summary>The configuration does something similar, or listend always behaves in another way.</summary>
    Changed,

    /// <summary>The configuration does not have it, and nothing is missing.</summary>
    NotNeeded,
}
