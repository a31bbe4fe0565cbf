namespace Supervisor.Config.Toml;

/// <summary>The first thing in a text that is not TOML.</summary>
/// <param name="Offset">Where, in characters from 0.</param>
/// <param name="Message">What Tomlyn says.</param>
/// <param name="Integer">The integer that is too large for 64 bits, where it is one.</param>
/// <param name="IsTooDeep">Whether arrays and tables are nested too deep.</param>
internal sealed record SyntaxFault(int Offset, string Message, string? Integer, bool IsTooDeep);
