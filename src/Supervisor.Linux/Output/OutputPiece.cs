namespace Supervisor.Linux.Output;

/// <summary>A line of output, or a part of a line that is longer than <see cref="OutputPipe.MaxLineBytes"/>.</summary>
/// <param name="Text">The text without the end of the line.</param>
/// <param name="Beginning">If it continues a line: what the first part began with; otherwise null.</param>
/// <param name="IsCut">Whether the next piece continues the line.</param>
public readonly record struct OutputPiece(string Text, string? Beginning = null, bool IsCut = false)
{
    /// <summary>Whether a part of the line came before it.</summary>
    public bool Continues => Beginning is not null;
}
