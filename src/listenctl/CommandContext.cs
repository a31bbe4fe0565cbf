using System.Text;

namespace Supervisor.Listenctl;

/// <summary>What the process was given by whoever started it: its output, its environment, its clock.</summary>
internal sealed class CommandContext
{
    /// <summary>Standard output.</summary>
    public required Stream Output { get; init; }

    /// <summary>Standard error.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Whether standard output is a terminal.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>The terminal's size in columns and rows; not read where there is none.</summary>
    public Func<(int Columns, int Rows)> Size { get; init; } = static () => (80, 24);

    /// <summary>Waits so long for a key; null where none was pressed. Ctrl-C and the signals that end a program are the key Escape.</summary>
    public Func<TimeSpan, ConsoleKeyInfo?> Key { get; init; } = static _ => null;

    /// <summary>The clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The environment's variables.</summary>
    public Func<string, string?> Variable { get; init; } = static _ => null;

    /// <summary>Whether this is root.</summary>
    public bool IsRoot { get; init; }

    /// <summary>True once nobody reads standard output any more.</summary>
    public bool OutputIsClosed => Output is StandardOutput { IsClosed: true };

    /// <summary>This process's own.</summary>
    public static CommandContext OfProcess() => new()
    {
        Output = StandardOutput.Open(),
        Error = new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)) { AutoFlush = true },
        OutputIsTerminal = !Console.IsOutputRedirected,
        Size = static () => (Console.WindowWidth, Console.WindowHeight),
        Key = Keyboard.Wait,
        Variable = Environment.GetEnvironmentVariable,
        IsRoot = Environment.IsPrivilegedProcess,
    };
}
