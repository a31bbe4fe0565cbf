namespace Supervisor.Config.Settings;

/// <summary>What reading a string gave: a value, or what is wrong with it.</summary>
internal readonly record struct Reading<T>(T Value, Fault? Fault)
{
    public static implicit operator Reading<T>(T value) => new(value, null);

    public static implicit operator Reading<T>(Fault fault) => new(default!, fault);
}
