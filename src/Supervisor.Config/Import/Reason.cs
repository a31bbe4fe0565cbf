namespace Supervisor.Config.Import;

/// <summary>Why a setting is not written as it was, and what the reader can do.</summary>
/// <param name="Kind">What it means for the reader.</param>
/// <param name="Text">One sentence, without the setting's name.</param>
/// <param name="IsConsequence">Whether another difference is the cause.</param>
internal readonly record struct Reason(DifferenceKind Kind, string Text, bool IsConsequence = false)
{
    /// <summary>Something that is lost with a setting or section to which it belongs.</summary>
    public static Reason LostToo(string text) => new(DifferenceKind.Lost, text, IsConsequence: true);

    public static Reason Lost(string text) => new(DifferenceKind.Lost, text);

    public static Reason Changed(string text) => new(DifferenceKind.Changed, text);

    public static Reason NotNeeded(string text) => new(DifferenceKind.NotNeeded, text);
}
