namespace Supervisor.Config.Import;

/// <summary>One difference between another program's configuration and its translation.</summary>
/// <param name="Kind">What it means for the reader.</param>
/// <param name="File">The file of the setting.</param>
/// <param name="Line">Its line, from 1; 0 for the whole file.</param>
/// <param name="Section">Its section, without brackets; empty without one.</param>
/// <param name="Setting">Its name; null for a whole section or file.</param>
/// <param name="Value">Its value; for a whole section the names of its settings; null without one.</param>
/// <param name="Reason">Why, and what to do instead.</param>
public sealed record ImportDifference(
    DifferenceKind Kind, string File, int Line, string Section, string? Setting, string? Value, string Reason)
{
    /// <summary>Whether another difference is the cause: it belongs to something that is lost.</summary>
    public bool IsConsequence { get; init; }
}
