namespace Supervisor.EndToEnd;

/// <summary>What a program has left behind.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Error);
