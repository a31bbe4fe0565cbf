using System.Runtime.InteropServices;
using Supervisor.Native;

namespace Supervisor.Listenctl.Terminal;

/// <summary>Runs a program on the terminal of this process and passes on the signals that ask this process to end.</summary>
internal static class ForegroundCommand
{
    /// <summary>What a shell adds to the number of the signal that ended a program.</summary>
    private const int Signalled = 128;

    private static readonly (PosixSignal Signal, int Number)[] Passed =
        [(PosixSignal.SIGHUP, 1), (PosixSignal.SIGINT, 2), (PosixSignal.SIGQUIT, 3), (PosixSignal.SIGTERM, 15)];

    /// <summary>
    /// Runs a program of PATH until it exits. Returns its exit status, or 128 and the number of the signal that ended it or this
    /// command; null and the reason if the program cannot be executed.
    /// </summary>
    public static int? Run(IReadOnlyList<string> command, out string? reason)
    {
        if (ProgramPath.Find(command[0]) is not { } path)
        {
            reason = "not found in PATH";
            return null;
        }

        using var program = ForegroundProgram.Start(path, command, out var error);
        if (program is null)
        {
            reason = $"{error.Name} ({error.Text})";
            return null;
        }

        reason = null;
        var ended = 0;
        PosixSignalRegistration[] registrations =
        [
            .. Passed.Select(pair => PosixSignalRegistration.Create(pair.Signal, context =>
            {
                context.Cancel = true;
                Volatile.Write(ref ended, pair.Number);
                program.Signal(pair.Number);
            })),
        ];
        var exit = program.Wait();
        Array.ForEach(registrations, registration => registration.Dispose());
        var signal = Volatile.Read(ref ended);
        return signal != 0 ? Signalled + signal : exit.Signalled ? Signalled + exit.Status : exit.Status;
    }
}
