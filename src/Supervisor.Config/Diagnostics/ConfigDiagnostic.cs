using System.Globalization;
using System.Text;

namespace Supervisor.Config.Diagnostics;

/// <summary>One problem of a configuration.</summary>
/// <param name="File">The file, or "command line".</param>
/// <param name="Line">Line, from 1; 0 for the whole file, or without a file.</param>
/// <param name="Column">Column in characters, from 1; 0 with line 0.</param>
/// <param name="Setting">The setting's path, such as <c>listener.web.bind.mark</c>; null without one.</param>
/// <param name="Message">What is wrong, with the value in question.</param>
/// <param name="Remedy">What to do instead; null if the message is sufficient.</param>
public sealed record ConfigDiagnostic(string File, int Line, int Column, string? Setting, string Message, string? Remedy)
{
    /// <summary>Whether it is a warning, which stops nothing.</summary>
    public bool IsWarning { get; init; }

    /// <summary>The listener that cannot be bound, if the diagnostic is about one; otherwise null.</summary>
    public BindFailure? Bind { get; init; }

    /// <summary>Whether the other diagnostic is about the same value of the same setting.</summary>
    public bool IsAt(ConfigDiagnostic other) => (File, Line, Column, Setting) == (other.File, other.Line, other.Column, other.Setting);

    /// <summary><c>FILE:LINE:COLUMN: SETTING: MESSAGE; REMEDY</c>, without missing parts.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(File);
        if (Line > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $":{Line}:{Column}");
        }

        text.Append(IsWarning ? ": warning: " : ": ");
        if (Setting is not null)
        {
            text.Append(Setting).Append(": ");
        }

        text.Append(Message);
        if (Remedy is not null)
        {
            text.Append("; ").Append(Remedy);
        }

        return text.ToString();
    }
}
