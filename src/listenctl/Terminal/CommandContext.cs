using System.Text;
using Supervisor.Control.CommandLine;
using Supervisor.Native;

namespace Supervisor.Listenctl.Terminal;

/// <summary>Runs a program and returns its exit status as a shell has it; null and the reason if it cannot be executed.</summary>
internal delegate int? RunProgram(IReadOnlyList<string> command, out string? reason);

/// <summary>What a command gets from the process: output, terminal, environment and clock. Tests pass fakes.</summary>
internal sealed class CommandContext
{
    /// <summary>Standard output.</summary>
    public required Stream Output { get; init; }

    /// <summary>Standard error.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Whether standard output is a terminal.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>The terminal's size in columns and rows; only read on a terminal.</summary>
    public Func<(int Columns, int Rows)> Size { get; init; } = static () => (80, 24);

    /// <summary>Waits for a key; null after the time given. Ctrl-C and terminating signals arrive as Escape.</summary>
    public Func<TimeSpan, ConsoleKeyInfo?> Key { get; init; } = static _ => null;

    /// <summary>The clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The environment's variables.</summary>
    public Func<string, string?> Variable { get; init; } = static _ => null;

    /// <summary>Whether this is root.</summary>
    public bool IsRoot { get; init; }

    /// <summary>Whether this user may connect to a socket.</summary>
    public Func<string, bool> MayOpen { get; init; } = static _ => false;

    /// <summary>Whether standard input, output and error are a terminal.</summary>
    public bool HasTerminal { get; init; }

    /// <summary>Runs a program of PATH on this terminal; see <see cref="ForegroundCommand.Run"/>.</summary>
    public RunProgram RunProgram { get; init; } = ForegroundCommand.Run;

    /// <summary>Whether the reader of standard output has closed it.</summary>
    public bool OutputIsClosed => Output is StandardOutput { IsClosed: true };

    /// <summary>The same context with another standard output, which is drawn as on this one.</summary>
    public CommandContext WithOutput(Stream output) => new()
    {
        Output = output,
        Error = Error,
        OutputIsTerminal = OutputIsTerminal,
        Size = Size,
        Clock = Clock,
        Variable = Variable,
    };

    /// <summary>The context of this process.</summary>
    public static CommandContext OfProcess() => new()
    {
        Output = StandardOutput.Open(),
        Error = new StreamWriter(new ErrorStream(Console.OpenStandardError()), new UTF8Encoding(false)) { AutoFlush = true },
        OutputIsTerminal = !Console.IsOutputRedirected,
        HasTerminal = !Console.IsInputRedirected && !Console.IsOutputRedirected && !Console.IsErrorRedirected,
        Size = static () => (Console.WindowWidth, Console.WindowHeight),
        Key = Keyboard.Wait,
        Variable = static name => OwnProcess.Environment.FirstOrDefault(variable => variable.Key == name).Value,
        IsRoot = Environment.IsPrivilegedProcess,
        MayOpen = AccessCheck.MayWriteFile,
    };
}
