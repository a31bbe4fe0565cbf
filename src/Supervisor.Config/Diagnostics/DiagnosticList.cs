using System.Collections.Immutable;

namespace Supervisor.Config.Diagnostics;

/// <summary>
/// Collects all problems. After a syntax error the tree is incomplete (<see cref="IsComplete"/>), so a missing setting is not an
/// error. Other errors on the line of a syntax error are consequences of it and are dropped.
/// </summary>
internal sealed class DiagnosticList
{
    private readonly List<ConfigDiagnostic> _errors = [];
    private readonly HashSet<(string File, int Line)> _brokenLines = [];
    private readonly List<string> _files = [];

    /// <summary>Whether the trees are complete: false after a syntax error.</summary>
    public bool IsComplete { get; private set; } = true;

    public int Count => _errors.Count;

    /// <summary>Registers a file. Diagnostics are sorted in the order of registration.</summary>
    public void Begin(string file) => _files.Add(file);

    /// <summary>A syntax error; only the first one of a line is kept.</summary>
    public void AddSyntax(SourcePosition position, string? setting, string message, string? remedy = null)
    {
        IsComplete = false;
        if (_brokenLines.Add((position.File, position.Line)))
        {
            _errors.Add(new ConfigDiagnostic(
                position.File, position.Line, position.Column, setting, message,
                remedy ?? "write the line as key = value, with strings in quotes"));
        }
    }

    public void Add(SourcePosition position, string? setting, string message, string? remedy)
    {
        if (!_brokenLines.Contains((position.File, position.Line)))
        {
            _errors.Add(new ConfigDiagnostic(position.File, position.Line, position.Column, setting, message, remedy));
        }
    }

    /// <summary>All of them, by file, line and column.</summary>
    public ImmutableArray<ConfigDiagnostic> ToImmutable() =>
        [.. _errors.OrderBy(e => _files.IndexOf(e.File)).ThenBy(e => e.Line).ThenBy(e => e.Column)];
}
