using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Supervisor.Listenctl;

/// <summary>
/// The terminal's keys. A thread of its own waits for them, from the first question on; the asker waits for that thread
/// with a time limit, which the console itself does not have.
/// </summary>
internal static class Keyboard
{
    private static readonly ConsoleKeyInfo Escape = new('\u001b', ConsoleKey.Escape, false, false, false);
    private static readonly BlockingCollection<ConsoleKeyInfo> Pressed = [];
    private static readonly List<PosixSignalRegistration> Signals = [];

    /// <summary>Waits so long for a key; null where none was pressed.</summary>
    public static ConsoleKeyInfo? Wait(TimeSpan time)
    {
        if (Signals.Count == 0)
        {
            Begin();
        }

        return Pressed.TryTake(out var key, time) ? key : null;
    }

    private static void Begin()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT])
        {
            Signals.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                Pressed.Add(Escape);
            }));
        }

        if (!Console.IsInputRedirected)
        {
            new Thread(Read) { IsBackground = true, Name = "keys" }.Start();
        }
    }

    private static void Read()
    {
        try
        {
            while (true)
            {
                Pressed.Add(Console.ReadKey(intercept: true));
            }
        }
        catch (Exception error) when (error is InvalidOperationException or IOException)
        {
            // The terminal has gone.
            Pressed.Add(Escape);
        }
    }
}
