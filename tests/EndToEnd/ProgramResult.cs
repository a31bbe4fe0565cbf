namespace Supervisor.EndToEnd;

/// <summary>The exit status and the output of a program.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Error);
