using System.Collections.Immutable;

namespace Supervisor.Config.Diagnostics;

/// <summary>
/// Collects all problems. After a syntax error the tree is incomplete (<see cref="IsComplete"/>), so a missing setting is not an
/// error. Other errors on the line of a syntax error are consequences of it and are dropped.
/// </summary>
internal sealed class DiagnosticList
{
    /// <summary>The remedy of a syntax error that has no better one.</summary>
    public const string SyntaxRemedy = "write the line as key = value, with strings in quotes";

    private readonly List<ConfigDiagnostic> _errors = [];
    private readonly HashSet<(string File, int Line)> _brokenLines = [];

    /// <summary>Whether the trees are complete: false after a syntax error.</summary>
    public bool IsComplete { get; private set; } = true;

    public int Count => _errors.Count;

    /// <summary>A syntax error; only the first one of a line is kept.</summary>
    public void AddSyntax(SourcePosition position, string? setting, string message, string? remedy = null)
    {
        IsComplete = false;
        if (_brokenLines.Add((position.File, position.Line)))
        {
            _errors.Add(new ConfigDiagnostic(
                position.File, position.Line, position.Column, setting, message, remedy ?? SyntaxRemedy));
        }
    }

    public void Add(SourcePosition position, string? setting, string message, string? remedy)
    {
        if (!_brokenLines.Contains((position.File, position.Line)))
        {
            _errors.Add(new ConfigDiagnostic(position.File, position.Line, position.Column, setting, message, remedy));
        }
    }

    /// <summary>A second definition of a key.</summary>
    public void AddTwice(SourcePosition position, string setting, string key, SourcePosition first) => Add(
        position, setting, $"{Quoted.Text(key)} is defined twice: first at {first}", "remove one of the two definitions");

    /// <summary>All of them, in the order in which they were found.</summary>
    public ImmutableArray<ConfigDiagnostic> ToImmutable() => [.. _errors];
}
