namespace Supervisor.EndToEnd;

/// <summary>Signal numbers: signal(7).</summary>
internal static class Signals
{
    public const int HangUp = 1;
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int User1 = 10;
    public const int Terminate = 15;
    public const int Stop = 19;
}
