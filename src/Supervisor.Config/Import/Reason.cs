namespace Supervisor.Config.Import;

/// <summary>Why a setting is not written as it was, and what the reader can do.</summary>
/// <param name="Kind">What it means for the reader.</param>
/// <param name="Text">One sentence, without the setting's name.</param>
internal readonly record struct Reason(DifferenceKind Kind, string Text)
{
    public static Reason Lost(string text) => new(DifferenceKind.Lost, text);

    public static Reason Changed(string text) => new(DifferenceKind.Changed, text);

    public static Reason NotNeeded(string text) => new(DifferenceKind.NotNeeded, text);
}
