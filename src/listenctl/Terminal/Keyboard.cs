using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Supervisor.Listenctl.Terminal;

/// <summary>
/// Keys of the terminal. Console.ReadKey has no time limit, so a thread of its own reads them, and <see cref="Wait"/>
/// waits for that thread.
/// </summary>
internal static class Keyboard
{
    private static readonly ConsoleKeyInfo Escape = new('\u001b', ConsoleKey.Escape, false, false, false);
    private static readonly BlockingCollection<ConsoleKeyInfo> Pressed = [];
    private static readonly List<PosixSignalRegistration> Signals = [];

    /// <summary>Waits for a key; null after <paramref name="time"/>. The first call starts the thread.</summary>
    public static ConsoleKeyInfo? Wait(TimeSpan time)
    {
        if (Signals.Count == 0)
        {
            Start();
        }

        return Pressed.TryTake(out var key, time) ? key : null;
    }

    private static void Start()
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
            // The terminal is closed.
            Pressed.Add(Escape);
        }
    }
}
