namespace Supervisor.Config.Toml;

/// <summary>The first syntax error of a text.</summary>
/// <param name="Offset">Its position, in characters from 0.</param>
/// <param name="Message">Tomlyn's message.</param>
/// <param name="Integer">The integer that is too large for 64 bits, if this is the error.</param>
/// <param name="IsTooDeep">Whether arrays and tables are nested too deep.</param>
internal sealed record SyntaxFault(int Offset, string Message, string? Integer, bool IsTooDeep);
