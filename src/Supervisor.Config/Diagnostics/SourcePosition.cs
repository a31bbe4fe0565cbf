namespace Supervisor.Config.Diagnostics;

/// <summary>A place in a file: line and column from 1, in characters; line 0 is the file as a whole.</summary>
internal readonly record struct SourcePosition(string File, int Line, int Column)
{
    public override string ToString() => Line == 0 ? File : string.Create(null, $"{File}:{Line}:{Column}");
}
